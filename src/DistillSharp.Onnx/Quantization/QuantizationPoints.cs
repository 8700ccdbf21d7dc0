using DistillSharp.Interop.Onnx;
using DistillSharp.Interop.Onnx.Messages;

namespace DistillSharp.Onnx.Quantization;

/// <summary>Where in a network values become bytes: which tensors with a scale of their own come from which operator call.</summary>
sealed class QuantizationPoints
{
    /// <summary>The number that stands for the images among those of the calls.</summary>
    public const int Images = -1;

    QuantizationPoints(TracedNames names, QuantizationPlan plan, GraphProto graph)
    {
        Names = names;
        var taken = new HashSet<string>();
        for (var call = Images; call < names.Results.Count; call++)
        {
            var name = call == Images ? names.Images : names.Results[call];
            // A call that hands on what it got has the name of what it got.
            if (name is not null && plan.HasScale(name) && plan.ScaleOf(name) == name && taken.Add(name)) Tensors[call] = name;
        }
        var outputs = graph.Node.Where(plan.QuantizesLayer).SelectMany(node => node.Output).ToHashSet();
        for (var call = 0; call < names.Results.Count; call++)
            if (names.Trace.Calls[call].Operator is "aten::conv2d" or "aten::linear" && names.Results[call] is { } name
                && outputs.Contains(name)) Layers.Add(call);
    }

    /// <summary>What the network computes, and under which names.</summary>
    public TracedNames Names { get; }

    /// <summary>The tensor whose values become bytes, by the call that gives it.</summary>
    public SortedDictionary<int, string> Tensors { get; } = [];

    /// <summary>The calls whose weights become bytes.</summary>
    public HashSet<int> Layers { get; } = [];

    /// <summary>Finds them.</summary>
    /// <param name="graph">The network's graph, batch norms folded.</param>
    /// <param name="names">Which call gave which of its tensors.</param>
    public static QuantizationPoints Of(GraphProto graph, TracedNames names) =>
        new(names, QuantizationPlan.Of(graph, new HashSet<string>()), graph);

    /// <summary>The ranges that a network was trained with, by tensor; none where it was trained without.</summary>
    public IReadOnlyDictionary<string, ActivationRange> Trained(Classifier network)
    {
        var ranges = (network.TrainedRanges ?? []).ToDictionary(range => range.Call);
        return Tensors.Where(tensor => ranges.ContainsKey(tensor.Key))
            .ToDictionary(tensor => tensor.Value, tensor => new ActivationRange(ranges[tensor.Key].Low, ranges[tensor.Key].High));
    }
}
