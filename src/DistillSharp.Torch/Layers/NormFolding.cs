namespace DistillSharp.Torch.Layers;

/// <summary>
/// Lets convolutions do the work of the batch norms behind them, in evaluation mode: with s = weight / sqrt(var + epsilon),
/// norm(conv(x, W) + b) = conv(x, s W) + s (b - mean) + bias. Parameters and state stay as they are. Disposing undoes it.
/// </summary>
public sealed class NormFolding : IDisposable
{
    readonly List<(Conv2d Conv, BatchNorm2d Norm)> pairs = [];

    NormFolding() { }

    /// <summary>How many norms were folded.</summary>
    public int Count => pairs.Count;

    /// <summary>
    /// Folds every norm whose input is the output of a convolution that nothing else uses. Which these are is seen by running
    /// the network once, not from a list.
    /// </summary>
    /// <param name="network">The network; it must be in evaluation mode and must not be trained while this lives.</param>
    /// <param name="run">Runs the network once on an input of its choice.</param>
    public static NormFolding Of(Module network, Action run)
    {
        var folding = new NormFolding();
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        IReadOnlyList<TracedCall> calls;
        using (var trace = OperatorTrace.Record())
        {
            run();
            calls = trace.Calls;
        }
        var uses = new Dictionary<object, int>(ReferenceEqualityComparer.Instance);
        foreach (var used in calls.SelectMany(call => call.Arguments).SelectMany(Tensors)) uses[used] = uses.GetValueOrDefault(used) + 1;
        var made = new Dictionary<object, TracedCall>(ReferenceEqualityComparer.Instance);
        foreach (var call in calls)
            foreach (var result in call.Results) made[result] = call;
        var convolutions = Modules<Conv2d>(network, conv => conv.Weight);
        var norms = Modules<BatchNorm2d>(network, norm => norm.Weight);
        foreach (var call in calls)
        {
            if (call.Operator != "aten::batch_norm" || call.Arguments[0].Tensor is not { } input || uses[input] != 1) continue;
            if (!made.TryGetValue(input, out var before) || before.Operator != "aten::conv2d") continue;
            // What is folded already stays its owner's.
            if (convolutions.TryGetValue(before.Arguments[1].Tensor!, out var conv) && norms.TryGetValue(call.Arguments[1].Tensor!, out var norm) && !norm.Folded)
                folding.Fold(conv, norm);
        }
        return folding;
    }

    void Fold(Conv2d conv, BatchNorm2d norm)
    {
        using var scope = TensorScope.Open();
        var scale = norm.Weight / (norm.RunningVar + norm.Epsilon).Sqrt();
        var weight = conv.Weight * scale.Reshape(-1, 1, 1, 1);
        var shift = conv.Bias is null ? -norm.RunningMean : conv.Bias - norm.RunningMean;
        conv.Folded = new(conv, weight.Contiguous(MemoryFormat.ChannelsLast).Detach(), (shift * scale + norm.Bias).Detach());
        norm.Folded = true;
        pairs.Add((conv, norm));
    }

    static Dictionary<object, T> Modules<T>(Module network, Func<T, Tensor> weight) where T : Module =>
        network.NamedModules().Select(entry => entry.Module).OfType<T>().ToDictionary(module => (object)weight(module), module => module, ReferenceEqualityComparer.Instance);

    static IEnumerable<object> Tensors(Argument argument) =>
        argument.Tensor is { } one ? [one] : argument.Tensors?.OfType<object>() ?? [];

    /// <summary>Gives the norms their work back.</summary>
    public void Dispose()
    {
        foreach (var (conv, norm) in pairs)
        {
            conv.Folded?.Dispose();
            (conv.Folded, norm.Folded) = (null, false);
        }
        pairs.Clear();
    }
}
