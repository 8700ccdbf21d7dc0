using DistillSharp.Torch;

namespace DistillSharp.Interop.Onnx;

/// <summary>
/// Batch norm in evaluation mode is a scale and a shift of each channel: directly behind a convolution,
/// g (W x - m) / s + b = (g / s W) x + (b - g m / s) with s = sqrt(variance + epsilon), so it goes into the weights.
/// </summary>
sealed class FoldedNorms
{
    readonly Dictionary<TracedCall, TracedCall> normAfter = new(ReferenceEqualityComparer.Instance);
    readonly HashSet<TracedCall> folded = new(ReferenceEqualityComparer.Instance);

    /// <summary>Nothing is folded.</summary>
    public static FoldedNorms None { get; } = new();

    /// <summary>Folds every batch norm whose input is a convolution's result that nothing else uses.</summary>
    public static FoldedNorms In(NetworkTrace trace)
    {
        var uses = new Dictionary<Tensor, int>(ReferenceEqualityComparer.Instance) { [trace.Logits] = 1 };
        foreach (var argument in trace.Calls.SelectMany(call => call.Arguments))
            foreach (var tensor in argument.Tensors ?? [argument.Tensor])
                if (tensor is not null) uses[tensor] = uses.GetValueOrDefault(tensor) + 1;

        var folds = new FoldedNorms();
        var convolutions = new Dictionary<Tensor, TracedCall>(ReferenceEqualityComparer.Instance);
        foreach (var call in trace.Calls)
        {
            if (call.Operator == "aten::conv2d") convolutions[call.Results[0]] = call;
            if (call.Operator != "aten::batch_norm") continue;
            var input = call.Arguments[0].Tensor!;
            if (!convolutions.TryGetValue(input, out var convolution) || uses[input] != 1) continue;
            folds.normAfter.Add(convolution, call);
            folds.folded.Add(call);
        }
        return folds;
    }

    /// <summary>Whether a batch norm has become part of the convolution before it.</summary>
    public bool Contains(TracedCall norm) => folded.Contains(norm);

    /// <summary>The batch norm that has become part of a convolution, or null.</summary>
    public TracedCall? After(TracedCall convolution) => normAfter.GetValueOrDefault(convolution);

    /// <summary>The weight, row-major, and the bias of a convolution with its batch norm, computed in double precision.</summary>
    public static (float[] Weight, float[] Bias) Fold(TracedCall convolution, TracedCall norm)
    {
        var weight = convolution.Arguments[1].Tensor!.ToArray<float>();
        var before = convolution.Arguments[2].Tensor?.ToArray<float>();
        var (scale, shift) = ScaleAndShift(norm);
        var inner = weight.Length / scale.Length;
        var bias = new float[scale.Length];
        for (var channel = 0; channel < scale.Length; channel++)
        {
            foreach (ref var value in weight.AsSpan(channel * inner, inner)) value = (float)(value * scale[channel]);
            bias[channel] = (float)((before?[channel] ?? 0.0) * scale[channel] + shift[channel]);
        }
        return (weight, bias);
    }

    static (double[] Scale, double[] Shift) ScaleAndShift(TracedCall norm)
    {
        double[] Values(int argument) => norm.Arguments[argument].Tensor!.ToArray<double>();
        var (mean, variance, epsilon) = (Values(3), Values(4), norm.Arguments[7].Real);
        var gain = norm.Arguments[1].Tensor is null ? [.. mean.Select(_ => 1.0)] : Values(1);
        var offset = norm.Arguments[2].Tensor is null ? new double[mean.Length] : Values(2);
        double[] scale = [.. gain.Zip(variance, (g, v) => g / Math.Sqrt(v + epsilon))];
        return (scale, [.. offset.Select((b, channel) => b - scale[channel] * mean[channel])]);
    }
}
