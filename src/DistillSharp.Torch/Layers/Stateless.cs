namespace DistillSharp.Torch.Layers;

/// <summary>max(x, 0).</summary>
public sealed class Relu : Layer
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Functional.Relu(x);
}

/// <summary>max(min(x, 6), 0).</summary>
public sealed class Relu6 : Layer
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => x.Clamp(0, 6);
}

/// <summary>Largest values of windows.</summary>
/// <param name="kernel">Height and width of the window.</param>
/// <param name="stride">Step between windows; the kernel where it is null.</param>
/// <param name="padding">Border that never wins.</param>
public sealed class MaxPool2d(Size2 kernel, Size2? stride = null, Size2 padding = default) : Layer
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Functional.MaxPool2d(x, kernel, stride, padding);
}

/// <summary>Means over windows.</summary>
/// <param name="kernel">Height and width of the window.</param>
/// <param name="stride">Step between windows; the kernel where it is null.</param>
/// <param name="padding">Zeros added on each side, which count.</param>
public sealed class AvgPool2d(Size2 kernel, Size2? stride = null, Size2 padding = default) : Layer
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Functional.AvgPool2d(x, kernel, stride, padding);
}

/// <summary>Returns its input.</summary>
public sealed class Identity : Layer
{
    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => x;
}
