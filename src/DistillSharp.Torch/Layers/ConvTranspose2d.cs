namespace DistillSharp.Torch.Layers;

/// <summary>A transposed convolution of [N, C, H, W], with bias. PyTorch's default initialization.</summary>
public sealed class ConvTranspose2d : Layer
{
    readonly Size2 stride, padding;

    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Height and width of the kernel.</param>
    /// <param name="stride">Step between the windows of the output.</param>
    /// <param name="padding">Rows and columns cut from each side of the output.</param>
    public ConvTranspose2d(long inputs, long outputs, Size2 kernel, Size2 stride, Size2 padding = default)
    {
        (this.stride, this.padding) = (stride, padding);
        using var scope = TensorScope.Open();
        Weight = Parameter("weight", Initialize.KaimingUniform(Tensor.Empty([inputs, outputs, kernel.Height, kernel.Width])));
        Bias = Parameter("bias", Initialize.UniformByFanIn(Tensor.Empty([outputs]), Weight));
    }

    /// <summary>[inputs, outputs, h, w].</summary>
    public Tensor Weight { get; }

    /// <summary>[outputs].</summary>
    public Tensor Bias { get; }

    public override Tensor Forward(Tensor x) => Functional.ConvTranspose2d(x, Weight, Bias, stride, padding);
}
