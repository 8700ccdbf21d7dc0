namespace DistillSharp.Torch.Layers;

/// <summary>
/// A batch norm in evaluation mode scales and shifts each channel. Directly behind a convolution it can go into the weights: with
/// s = gain / sqrt(variance + epsilon), norm(conv(x, W) + b) = conv(x, s W) + s (b - mean) + shift.
/// </summary>
/// <param name="Convolution">A recorded convolution.</param>
/// <param name="Norm">The recorded batch norm of its result.</param>
public sealed record NormFold(TracedCall Convolution, TracedCall Norm)
{
    /// <summary>Finds every batch norm whose input is a convolution's result that nothing else uses.</summary>
    /// <param name="calls">What a network computed in evaluation mode.</param>
    /// <param name="results">Tensors that are used outside of the calls as well.</param>
    public static IReadOnlyList<NormFold> In(IReadOnlyList<TracedCall> calls, params Tensor[] results)
    {
        var uses = new Dictionary<Tensor, int>(ReferenceEqualityComparer.Instance);
        var arguments = calls.SelectMany(call => call.Arguments).SelectMany(argument => argument.Tensors ?? [argument.Tensor]);
        foreach (var used in arguments.Concat(results))
            if (used is not null) uses[used] = uses.GetValueOrDefault(used) + 1;

        var folds = new List<NormFold>();
        var convolutions = new Dictionary<Tensor, TracedCall>(ReferenceEqualityComparer.Instance);
        foreach (var call in calls)
        {
            if (call.Operator == "aten::conv2d") convolutions[call.Results[0]] = call;
            if (call.Operator != "aten::batch_norm") continue;
            var input = call.Arguments[0].Tensor!;
            if (uses[input] == 1 && convolutions.TryGetValue(input, out var convolution)) folds.Add(new(convolution, call));
        }
        return folds;
    }

    /// <summary>The weight [O, I, h, w] and the bias [O] of the convolution with its norm: float32, computed in double precision.</summary>
    public (Tensor Weight, Tensor Bias) Fold()
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        Tensor? Value(TracedCall call, int argument) => call.Arguments[argument].Tensor?.To(DType.Float64);
        var (mean, variance, epsilon) = (Value(Norm, 3)!, Value(Norm, 4)!, Norm.Arguments[7].Real);
        var s = (variance + epsilon).Sqrt().Reciprocal();
        if (Value(Norm, 1) is { } gain) s *= gain;
        var bias = (Value(Convolution, 2) is { } b ? b - mean : -mean) * s;
        if (Value(Norm, 2) is { } shift) bias += shift;
        var weight = Value(Convolution, 1)! * s.Reshape(-1, 1, 1, 1);
        return (scope.Keep(weight.To(DType.Float32)), scope.Keep(bias.To(DType.Float32)));
    }
}
