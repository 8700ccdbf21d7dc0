namespace DistillSharp.Torch.Layers;

/// <summary>
/// A convolution that does the work of the batch norm behind it, for inference: its weight and bias, and the same weight in the
/// order of the native kernels, made when it is first needed for a type.
/// </summary>
sealed class FoldedConvolution(Conv2d layer, Tensor weight, Tensor bias) : IDisposable
{
    static readonly Operator pack = new("distillsharp::conv2d_pack"), run = new("distillsharp::conv2d_folded");

    readonly Tensor weight = weight.Unscoped(), bias = bias.Unscoped();
    readonly Dictionary<DType, Tensor> packed = [];

    /// <summary>norm(conv(x)) (+ residual), with ReLU where it is asked for.</summary>
    public Tensor Forward(Tensor x, Tensor? residual = null, bool relu = false) =>
        run.Call(x, weight, bias, Packed(x.DType), residual, relu, layer.Stride, layer.Padding, new Size2(1, 1), layer.Groups);

    Tensor Packed(DType type) => packed.TryGetValue(type, out var made) ? made
        : packed[type] = pack.Call(weight, (DType?)type, layer.Stride, layer.Padding, new Size2(1, 1), layer.Groups).Unscoped();

    public void Dispose()
    {
        weight.Dispose();
        bias.Dispose();
        foreach (var tensor in packed.Values) tensor.Dispose();
    }
}
