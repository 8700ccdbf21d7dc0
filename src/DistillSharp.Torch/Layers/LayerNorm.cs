namespace DistillSharp.Torch.Layers;

/// <summary>Layer normalization of [..., C] over its last dimension (Ba et al. 2016).</summary>
public sealed class LayerNorm : Layer
{
    /// <param name="width">The size of the last dimension.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public LayerNorm(long width, double epsilon = 1e-5)
    {
        Epsilon = epsilon;
        Weight = Parameter("weight", Tensor.Ones([width]));
        Bias = Parameter("bias", Tensor.Zeros([width]));
    }

    /// <summary>Added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>The scale, [C].</summary>
    public Tensor Weight { get; }

    /// <summary>The shift, [C].</summary>
    public Tensor Bias { get; }

    public override Tensor Forward(Tensor x) =>
        // In float32 where x is bfloat16, as a GPU's autocast has it: libtorch 1.13 takes no two types on a processor.
        Functional.LayerNorm(x.DType == Weight.DType ? x : x.To(Weight.DType), Weight, Bias, Epsilon);
}
