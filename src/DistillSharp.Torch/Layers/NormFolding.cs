namespace DistillSharp.Torch.Layers;

/// <summary>
/// Lets convolutions do the work of the batch norms behind them (<see cref="NormFold"/>), in evaluation mode. Parameters and state
/// stay as they are. Disposing undoes it.
/// </summary>
public sealed class NormFolding : IDisposable
{
    readonly List<(Conv2d Conv, BatchNorm2d Norm)> pairs = [];
    NormFolding() { }

    /// <summary>How many norms were folded.</summary>
    public int Count => pairs.Count;

    /// <summary>Folds every norm that can be folded. Which these are is seen by running the network once, not from a list.</summary>
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
        var convolutions = Modules<Conv2d>(network, conv => conv.Weight);
        var norms = Modules<BatchNorm2d>(network, norm => norm.Weight);
        foreach (var fold in NormFold.In(calls))
        {
            // What is folded already stays its owner's.
            if (!convolutions.TryGetValue(fold.Convolution.Arguments[1].Tensor!, out var conv) ||
                !norms.TryGetValue(fold.Norm.Arguments[1].Tensor!, out var norm) || norm.Folded) continue;
            var (weight, bias) = fold.Fold();
            (conv.Folded, norm.Folded) = (new(conv, weight.Contiguous(MemoryFormat.ChannelsLast), bias), true);
            folding.pairs.Add((conv, norm));
        }
        return folding;
    }

    static Dictionary<Tensor, T> Modules<T>(Module network, Func<T, Tensor> weight) where T : Module =>
        network.NamedModules().Select(entry => entry.Module).OfType<T>().ToDictionary(weight);

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
