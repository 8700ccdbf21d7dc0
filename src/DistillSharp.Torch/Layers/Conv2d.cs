namespace DistillSharp.Torch.Layers;

/// <summary>A convolution of [N, C, H, W]. The weight lies channels-last in memory. PyTorch's default initialization.</summary>
public sealed class Conv2d : Layer
{
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernel">Height and width of the kernel.</param>
    /// <param name="stride">Step between windows.</param>
    /// <param name="padding">Zeros added on each side.</param>
    /// <param name="groups">How many groups of channels stay apart.</param>
    /// <param name="bias">Whether a bias is added.</param>
    public Conv2d(
        long inputs, long outputs, Size2 kernel, Size2? stride = null, Size2 padding = default, long groups = 1, bool bias = false)
    {
        (Inputs, Outputs, Kernel, Stride, Padding, Groups) = (inputs, outputs, kernel, stride ?? 1, padding, groups);
        using var scope = TensorScope.Open();
        // Where nothing is drawn, the memory is not touched.
        var weight = Initialize.IsSkipped
            ? Tensor.Empty([outputs, kernel.Height, kernel.Width, inputs / groups]).Permute(0, 3, 1, 2)
            : Initialize.KaimingUniform(Tensor.Empty([outputs, inputs / groups, kernel.Height, kernel.Width]));
        Weight = Parameter("weight", weight.Contiguous(MemoryFormat.ChannelsLast));
        if (bias) Bias = Parameter("bias", Initialize.UniformByFanIn(Tensor.Empty([outputs]), weight));
    }

    /// <summary>Channels in.</summary>
    public long Inputs { get; }

    /// <summary>Channels out.</summary>
    public long Outputs { get; }

    /// <summary>Height and width of the kernel.</summary>
    public Size2 Kernel { get; }

    /// <summary>Step between windows.</summary>
    public Size2 Stride { get; }

    /// <summary>Zeros added on each side.</summary>
    public Size2 Padding { get; }

    /// <summary>How many groups of channels stay apart.</summary>
    public long Groups { get; }

    /// <summary>[Outputs, Inputs / Groups, h, w].</summary>
    public Tensor Weight { get; }

    /// <summary>[Outputs], or null.</summary>
    public Tensor? Bias { get; }

    /// <summary>This convolution with the batch norm behind it; null where none is folded in.</summary>
    internal FoldedConvolution? Folded { get; set; }

    public override Tensor Forward(Tensor x) => Folded is not null && !Training && !OperatorTrace.IsRecording
        ? Folded.Forward(x) : Functional.Conv2d(x, Weight, Bias, Stride, Padding, 1, Groups);
}
