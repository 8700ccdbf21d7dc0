namespace DistillSharp.Torch.Layers;

/// <summary>x W' + b. PyTorch's default initialization.</summary>
public sealed class Linear : Layer
{
    /// <param name="inputs">Width in.</param>
    /// <param name="outputs">Width out.</param>
    /// <param name="bias">Whether a bias is added.</param>
    public Linear(long inputs, long outputs, bool bias = true)
    {
        using var scope = TensorScope.Open();
        Weight = Parameter("weight", Initialize.KaimingUniform(Tensor.Empty([outputs, inputs])));
        if (bias) Bias = Parameter("bias", Initialize.UniformByFanIn(Tensor.Empty([outputs]), Weight));
    }

    /// <summary>[outputs, inputs].</summary>
    public Tensor Weight { get; }

    /// <summary>[outputs], or null.</summary>
    public Tensor? Bias { get; }

    public override Tensor Forward(Tensor x) => Functional.Linear(x, Weight, Bias);
}
