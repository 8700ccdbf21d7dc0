using System.Runtime.InteropServices;
using DistillSharp.Interop.Onnx.Messages;
using Google.Protobuf;
using DataType = DistillSharp.Interop.Onnx.Messages.TensorProto.Types.DataType;

namespace DistillSharp.Onnx.Quantization;

/// <summary>
/// Writes a float32 graph as QDQ: each quantized tensor goes through QuantizeLinear and DequantizeLinear, weights lie in int8 before
/// a DequantizeLinear. A runtime that knows integer operators replaces the pairs by them, any other computes the same in float32.
/// Weights are symmetric with a scale for each output channel, activations have one scale and zero point (uint8), biases are int32
/// with the product of both scales (arXiv:1712.05877).
/// </summary>
sealed class Int8Graph
{
    /// <summary>The largest int8 value of a weight, and the least but for its sign.</summary>
    public const int LargestWeight = 127;

    /// <summary>
    /// The largest sum of two weights of a channel. Processors without integer dot products (AVX2, AVX-512 without VNNI) add two products
    /// of a byte and a weight in 16 bits, and clip: 255 times two weights fits only where these are together at most 128, of which rounding
    /// may take one.
    /// </summary>
    public const int LargestPair = 127;

    readonly QuantizationPlan plan;
    readonly IReadOnlyDictionary<string, ActivationRange> ranges;
    readonly Dictionary<string, TensorProto> floats;
    readonly GraphProto result;
    readonly HashSet<string> made = [];

    Int8Graph(GraphProto graph, QuantizationPlan plan, IReadOnlyDictionary<string, ActivationRange> ranges)
    {
        (this.plan, this.ranges) = (plan, ranges);
        floats = graph.Initializer.ToDictionary(constant => constant.Name);
        result = new() { Name = graph.Name, Input = { graph.Input }, Output = { graph.Output } };
    }

    /// <summary>The graph in int8.</summary>
    /// <param name="graph">The graph in float32; it stays as it is.</param>
    /// <param name="plan">What computes in int8.</param>
    /// <param name="ranges">The range of each tensor that the plan wants calibrated.</param>
    public static GraphProto Of(GraphProto graph, QuantizationPlan plan, IReadOnlyDictionary<string, ActivationRange> ranges)
    {
        var writer = new Int8Graph(graph, plan, ranges);
        foreach (var input in graph.Input) writer.AddScale(input.Name);
        foreach (var node in graph.Node) writer.Add(node);
        var used = writer.result.Node.SelectMany(node => node.Input).ToHashSet();
        writer.result.Initializer.AddRange(graph.Initializer.Where(constant => used.Contains(constant.Name)));
        return writer.result;
    }

    void Add(NodeProto node)
    {
        var copy = node.Clone();
        for (var i = 0; i < copy.Input.Count; i++)
            if (plan.HasScale(copy.Input[i])) copy.Input[i] = Dequantized(copy.Input[i]);
        if (plan.QuantizesLayer(node)) Quantize(node, copy);
        result.Node.Add(copy);
        foreach (var output in node.Output) AddScale(output);
    }

    // The weights and the bias of a layer.
    void Quantize(NodeProto node, NodeProto copy)
    {
        var weight = floats[node.Input[1]];
        var axis = node.OpType == "Gemm" && node.Attribute.All(attribute => attribute.Name != "transB" || attribute.I == 0) ? 1 : 0;
        var channels = (int)weight.Dims[axis];
        var scales = Scales(Values(weight), channels, axis);
        copy.Input[1] = Weight(weight, scales, axis);
        if (node.Input.Count > 2 && node.Input[2].Length > 0)
            copy.Input[2] = Bias(floats[node.Input[2]], scales, Range(node.Input[0]).Scale, copy.Output[0]);
    }

    string Weight(TensorProto weight, float[] scales, int axis)
    {
        var name = weight.Name;
        if (made.Add(name))
        {
            var values = Values(weight);
            var bytes = new sbyte[values.Length];
            for (var i = 0; i < values.Length; i++)
                bytes[i] = (sbyte)Math.Clamp(
                    MathF.Round(values[i] / scales[Channel(i, scales.Length, values.Length, axis)]), -LargestWeight, LargestWeight);
            Constant($"{name}_q", DataType.Int8, weight.Dims, MemoryMarshal.AsBytes(bytes));
            Constant($"{name}_s", DataType.Float, [scales.Length], MemoryMarshal.AsBytes(scales));
        }
        var zeros = $"zeros_{scales.Length}";
        if (made.Add(zeros)) Constant(zeros, DataType.Int8, [scales.Length], new byte[scales.Length]);
        return Dequantize($"{name}_q", $"{name}_s", zeros, $"{name}_{result.Node.Count}", axis);
    }

    string Bias(TensorProto bias, float[] weightScales, float inputScale, string layer)
    {
        var scales = Array.ConvertAll(weightScales, scale => scale * inputScale);
        var integers =
            Values(bias).Select((value, c) => (int)Math.Clamp(Math.Round(value / (double)scales[c]), int.MinValue, int.MaxValue)).ToArray();
        Constant($"{layer}_b", DataType.Int32, [integers.Length], MemoryMarshal.AsBytes(integers));
        Constant($"{layer}_bs", DataType.Float, [scales.Length], MemoryMarshal.AsBytes(scales));
        return Dequantize($"{layer}_b", $"{layer}_bs", null, $"{layer}_bd", axis: 0);
    }

    string Dequantize(string quantized, string scale, string? zero, string name, int axis)
    {
        var node = new NodeProto
        {
            OpType = "DequantizeLinear", Input = { quantized, scale }, Output = { name },
            Attribute = { Interop.Onnx.OnnxGraph.Int("axis", axis) },
        };
        if (zero is not null) node.Input.Add(zero);
        result.Node.Add(node);
        return name;
    }

    void AddScale(string tensor)
    {
        if (!plan.HasScale(tensor)) return;
        var (range, origin) = (Range(tensor), plan.ScaleOf(tensor));
        var (scale, zero) = ($"{origin}_s", $"zero_{range.ZeroPoint}");
        if (made.Add(scale)) Constant(scale, DataType.Float, [], MemoryMarshal.AsBytes([range.Scale]));
        if (made.Add(zero)) Constant(zero, DataType.Uint8, [], [range.ZeroPoint]);
        result.Node.Add(new NodeProto { OpType = "QuantizeLinear", Input = { tensor, scale, zero }, Output = { $"{tensor}_q" } });
        result.Node.Add(
            new NodeProto { OpType = "DequantizeLinear", Input = { $"{tensor}_q", scale, zero }, Output = { Dequantized(tensor) } });
    }

    static string Dequantized(string tensor) => $"{tensor}_d";

    ActivationRange Range(string tensor) => ranges[plan.ScaleOf(tensor)];

    void Constant(string name, DataType type, IEnumerable<long> shape, ReadOnlySpan<byte> bytes) => result.Initializer.Add(
        new TensorProto { Name = name, DataType = (int)type, Dims = { shape }, RawData = ByteString.CopyFrom(bytes) });

    static float[] Scales(float[] weights, int channels, int axis)
    {
        var (largest, second) = (new float[channels], new float[channels]);
        for (var i = 0; i < weights.Length; i++)
        {
            var (c, size) = (Channel(i, channels, weights.Length, axis), MathF.Abs(weights[i]));
            (largest[c], second[c]) = size > largest[c] ? (size, largest[c]) : (largest[c], Math.Max(second[c], size));
        }
        return [.. largest.Zip(second, (one, two) => one > 0 ? Math.Max(one / LargestWeight, (one + two) / LargestPair) : 1)];
    }

    // Of weights [channels, ...] or, for axis 1, [..., channels].
    static int Channel(int place, int channels, int count, int axis) => axis == 0 ? place / (count / channels) : place % channels;

    static float[] Values(TensorProto tensor) => MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
}
