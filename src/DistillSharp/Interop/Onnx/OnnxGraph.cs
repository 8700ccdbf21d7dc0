using System.Runtime.InteropServices;
using DistillSharp.Interop.Onnx.Messages;
using Google.Protobuf;

namespace DistillSharp.Interop.Onnx;

/// <summary>A graph under construction: nodes, constants, and which name each tensor of the trace has.</summary>
sealed class OnnxGraph(string name, int opset, IEnumerable<(string Name, Tensor Tensor)> state)
{
    readonly Dictionary<Tensor, string> states =
        state.ToDictionary(entry => entry.Tensor, entry => entry.Name, (IEqualityComparer<Tensor>)ReferenceEqualityComparer.Instance);
    readonly Dictionary<Tensor, string> values = new(ReferenceEqualityComparer.Instance);
    readonly HashSet<string> constants = [];
    readonly Dictionary<string, int> made = [];

    public int Opset => opset;

    public GraphProto Message { get; } = new() { Name = name };

    /// <summary>Gives a tensor of the trace a name; one that had a name has been changed in place.</summary>
    public void Bind(Tensor tensor, string name) => values[tensor] = name;

    /// <summary>The name of a tensor; a parameter becomes a constant when it is first asked for.</summary>
    /// <exception cref="UserException">The tensor is neither computed from the images nor a parameter or buffer.</exception>
    public string NameOf(Tensor tensor)
    {
        if (values.TryGetValue(tensor, out var value)) return value;
        if (!states.TryGetValue(tensor, out var parameter))
            throw new UserException("it uses a tensor that is neither computed from the images nor a parameter or buffer of the network");
        return Constant(parameter, tensor.Shape, tensor.ToArray<float>());
    }

    /// <summary>The name of a tensor that was computed; null for any other.</summary>
    public string? ValueName(Tensor tensor) => values.GetValueOrDefault(tensor);

    /// <summary>The name of a parameter or buffer, or null for any other tensor.</summary>
    public string? StateName(Tensor tensor) => states.GetValueOrDefault(tensor);

    /// <summary>Adds float32 values under a name, once.</summary>
    public string Constant(string name, IEnumerable<long> shape, ReadOnlySpan<float> elements) =>
        Constant(name, TensorProto.Types.DataType.Float, shape, MemoryMarshal.AsBytes(elements));

    public string Number(double value) => Constant(Fresh("value"), [], [(float)value]);

    public string Sizes(params ReadOnlySpan<long> elements) =>
        Constant(Fresh("sizes"), TensorProto.Types.DataType.Int64, [elements.Length], MemoryMarshal.AsBytes(elements));

    /// <summary>Adds one whole number without dimensions.</summary>
    public string Index(long value) => Constant(Fresh("index"), TensorProto.Types.DataType.Int64, [], MemoryMarshal.AsBytes([value]));

    string Constant(string name, TensorProto.Types.DataType type, IEnumerable<long> shape, ReadOnlySpan<byte> bytes)
    {
        if (constants.Add(name))
            Message.Initializer.Add(
                new TensorProto { Name = name, DataType = (int)type, Dims = { shape }, RawData = ByteString.CopyFrom(bytes) });
        return name;
    }

    /// <summary>Adds a node with one result; returns the result's name. An absent input is "".</summary>
    public string Node(string type, string[] inputs, params AttributeProto[] attributes) => Nodes(type, inputs, 1, attributes)[0];

    /// <summary>Adds a node with several results.</summary>
    public string[] Nodes(string type, string[] inputs, int results, params AttributeProto[] attributes)
    {
        var name = Fresh(type);
        string[] outputs = [.. Enumerable.Range(0, results).Select(i => results == 1 ? $"{name}_out" : $"{name}_out{i}")];
        Message.Node.Add(
            new NodeProto { Name = name, OpType = type, Input = { inputs }, Output = { outputs }, Attribute = { attributes } });
        return outputs;
    }

    string Fresh(string kind) => $"{kind}_{made[kind] = made.GetValueOrDefault(kind) + 1}";

    public static AttributeProto Ints(string name, IEnumerable<long> values) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };

    public static AttributeProto Int(string name, long value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Text(string name, string value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    public static AttributeProto Float(string name, double value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Float, F = (float)value };
}
