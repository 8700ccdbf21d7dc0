using DistillSharp.Interop.Onnx.Messages;

namespace DistillSharp.Onnx.Quantization;

/// <summary>
/// Which nodes of a float32 graph compute in int8, and which of its tensors get a scale. Convolutions and linear layers are
/// quantized; sums, poolings and operators that only move values are, where int8 values come in and are wanted behind. An
/// activation function directly behind such a node is part of it: the range of the values says all that it does.
/// </summary>
sealed class QuantizationPlan
{
    static readonly HashSet<string> weighted = ["Conv", "Gemm"];
    static readonly HashSet<string> moving = ["Flatten", "Reshape", "Transpose", "MaxPool", "Split", "Slice"];
    static readonly HashSet<string> following = [.. moving, "Add", "Concat", "GlobalAveragePool", "AveragePool"];
    // ONNX Runtime leaves these out where the quantized range does.
    static readonly HashSet<string> activations = ["Relu", "Clip"];

    readonly HashSet<string> constants;
    readonly ILookup<string, NodeProto> consumers;
    readonly Dictionary<string, NodeProto> producers = [];
    readonly HashSet<NodeProto> quantized = new(ReferenceEqualityComparer.Instance);
    readonly Dictionary<string, string> sameAs = [];
    readonly HashSet<string> tensors = [];

    QuantizationPlan(GraphProto graph)
    {
        constants = [.. graph.Initializer.Select(constant => constant.Name)];
        consumers =
            graph.Node.SelectMany(node => node.Input.Distinct().Select(input => (input, node))).ToLookup(use => use.input, use => use.node);
        foreach (var node in graph.Node)
            foreach (var output in node.Output) producers[output] = node;
    }

    /// <summary>The layers of a graph that can be quantized, in its order: names of weights without <c>.weight</c>.</summary>
    public static IReadOnlyList<string> Layers(GraphProto graph)
    {
        var plan = new QuantizationPlan(graph);
        return [.. graph.Node.Where(plan.IsLayer).Select(LayerOf).Distinct()];
    }

    /// <summary>The plan for a graph.</summary>
    /// <param name="graph">The graph, its nodes in the order of computation.</param>
    /// <param name="keepFloat">Names of layers that stay as they are.</param>
    public static QuantizationPlan Of(GraphProto graph, IReadOnlySet<string> keepFloat)
    {
        var plan = new QuantizationPlan(graph);
        var outputs = graph.Output.Select(output => output.Name).ToHashSet();
        foreach (var node in graph.Node)
            if (plan.IsLayer(node) ? !keepFloat.Contains(LayerOf(node)) : following.Contains(node.OpType)
                && plan.Activations(node).Any(plan.IsQuantized))
                plan.quantized.Add(node);
        foreach (var node in graph.Node.Reverse())
            if (following.Contains(node.OpType) && !node.Output.Any(output => plan.Wanted(output))) plan.quantized.Remove(node);
        foreach (var node in graph.Node.Where(plan.quantized.Contains)) plan.Note(node, outputs);
        return plan;
    }

    /// <summary>Whether a node is a convolution or a linear layer that does.</summary>
    public bool QuantizesLayer(NodeProto node) => quantized.Contains(node) && weighted.Contains(node.OpType);

    /// <summary>How many layers compute in int8.</summary>
    public int LayerCount => quantized.Count(node => weighted.Contains(node.OpType));

    /// <summary>Tensors that are quantized, in one order.</summary>
    public IEnumerable<string> Tensors => tensors.Order(StringComparer.Ordinal);

    /// <summary>Whether a tensor is quantized and dequantized where it arises.</summary>
    public bool HasScale(string tensor) => tensors.Contains(tensor);

    /// <summary>The tensor whose scale a tensor has: its own, or that of the one whose values it only moves.</summary>
    public string ScaleOf(string tensor) => sameAs.TryGetValue(tensor, out var origin) ? ScaleOf(origin) : tensor;

    public static string LayerOf(NodeProto node)
    {
        var weight = node.Input[1];
        var end = weight.IndexOf(".weight", StringComparison.Ordinal);
        return end < 0 ? weight : weight[..end];
    }

    bool IsLayer(NodeProto node) => weighted.Contains(node.OpType) && node.Input.Count > 1 && constants.Contains(node.Input[1])
        && (node.Input.Count < 3 || constants.Contains(node.Input[2]));

    IEnumerable<string> Activations(NodeProto node) =>
        following.Contains(node.OpType) && node.OpType is not ("Add" or "Concat") || IsLayer(node)
        ? node.Input.Take(1) : node.Input.Where(input => !constants.Contains(input));

    // Behind an activation function that has become part of its node.
    bool IsQuantized(string tensor) => producers.TryGetValue(tensor, out var producer)
        && (quantized.Contains(producer) || (Absorbs(producer) && quantized.Contains(producers[producer.Input[0]])));

    bool Absorbs(NodeProto activation) =>
        activations.Contains(activation.OpType) && producers.TryGetValue(activation.Input[0], out var before)
        && !moving.Contains(before.OpType) && consumers[activation.Input[0]].Count() == 1;

    bool Wanted(string tensor) =>
        consumers[tensor].Any(consumer => quantized.Contains(consumer) || (Absorbs(consumer) && Wanted(consumer.Output[0])));

    // What a node's result is called once an activation function is part of it.
    string Result(string output) => consumers[output].FirstOrDefault() is { } next && Absorbs(next) ? next.Output[0] : output;

    void Note(NodeProto node, HashSet<string> outputs)
    {
        var inputs = Activations(node).ToList();
        tensors.UnionWith(inputs);
        foreach (var output in node.Output)
        {
            var result = Result(output);
            // Logits stay what they are: nothing behind them wants bytes.
            var last = consumers[result].All(consumer => consumer.OpType == "Identity" && outputs.Contains(consumer.Output[0]));
            if (outputs.Contains(result) || last || (node.OpType == "Gemm" && !Wanted(output))) continue;
            tensors.Add(result);
            if (moving.Contains(node.OpType)) sameAs[result] = inputs[0];
        }
    }
}
