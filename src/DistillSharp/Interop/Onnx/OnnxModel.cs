using System.Reflection;
using System.Text.Json;
using DistillSharp.Interop.Onnx.Messages;
using DistillSharp.Models;

namespace DistillSharp.Interop.Onnx;

/// <summary>The whole message: graph, versions, metadata.</summary>
static class OnnxModel
{
    const string InputName = "images", OutputName = "logits", BatchName = "batch";

    public static ModelProto Of(Classifier network, OnnxOptions options) => Of(network, options, out _);

    /// <summary>The same, and which of the graph's tensors comes from which operator call.</summary>
    public static ModelProto Of(Classifier network, OnnxOptions options, out TracedNames names)
    {
        var size = options.ImageSize ?? network.Input.Natural;
        var trace = NetworkTrace.Of(network, size);
        var graph = new OnnxGraph(network.Name, options.WrittenOpset, network.State());
        var images = !options.WithPreprocessing ? InputName : OnnxPreprocessing.Add(
            graph, InputName, size, options.ShorterSide ?? (int)Math.Max(size.Height, size.Width), options.Normalization!);
        graph.Bind(trace.Input, images);
        names = new(trace, images, Translate(network, trace, graph, options.FoldBatchNorm ? NormFold.In(trace.Calls, trace.Logits) : []));

        var message = graph.Message;
        // The result keeps the name under which it is known outside.
        var last = graph.NameOf(trace.Logits);
        message.Node.Add(new NodeProto { Name = "Output", OpType = "Identity", Input = { last }, Output = { OutputName } });
        var imageType = options.WithPreprocessing ? TensorProto.Types.DataType.Uint8 : TensorProto.Types.DataType.Float;
        TensorShapeProto.Types.Dimension[] image = options.WithPreprocessing
            ? [new() { DimParam = "height" }, new() { DimParam = "width" }, Fixed(3)]
            : [Fixed(3), Fixed(size.Height), Fixed(size.Width)];
        message.Input.Add(Value(InputName, imageType, options, image));
        message.Output.Add(Value(OutputName, TensorProto.Types.DataType.Float, options, Fixed(network.Classes)));

        var version =
            typeof(OnnxModel).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        var model = new ModelProto
        {
            // The oldest format version that has the operator set: readers refuse newer ones than they know.
            IrVersion = options.WrittenOpset switch { < 15 => 7, < 19 => 8, _ => 9 },
            ProducerName = "DistillSharp",
            ProducerVersion = version,
            Graph = message,
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = options.WrittenOpset } },
        };
        foreach (var (key, value) in Metadata(network, options, size, version).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return model;
    }

    static List<string?> Translate(Classifier network, NetworkTrace trace, OnnxGraph graph, IReadOnlyList<NormFold> folds)
    {
        var names = new List<string?>();
        var foldOf = new Dictionary<TracedCall, NormFold>(ReferenceEqualityComparer.Instance);
        foreach (var fold in folds) foldOf[fold.Convolution] = foldOf[fold.Norm] = fold;
        var memory = new SharedMemory();
        for (var i = 0; i < trace.Calls.Count; i++)
        {
            var call = new OnnxCall(graph, trace, i, foldOf.GetValueOrDefault(trace.Calls[i]));
            try
            {
                memory.Note(call.Traced);
                OnnxOperators.Translate(call);
                names.Add(call.Traced.Results is [var only] ? graph.ValueName(only) : null);
            }
            catch (UserException e)
            {
                throw new UserException(
                    $"{network.Name} cannot be written as ONNX: {e.Message} (operator {i + 1}, {call.Traced.Operator})", e);
            }
        }
        return names;
    }

    static TensorShapeProto.Types.Dimension Fixed(long size) => new() { DimValue = size };

    static ValueInfoProto Value(
        string name, TensorProto.Types.DataType type, OnnxOptions options, params TensorShapeProto.Types.Dimension[] rest)
    {
        var batch = options.DynamicBatch ? new TensorShapeProto.Types.Dimension { DimParam = BatchName } : Fixed(options.Batch);
        var shape = new TensorShapeProto { Dim = { batch, rest } };
        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)type, Shape = shape } } };
    }

    static Dictionary<string, string> Metadata(Classifier network, OnnxOptions options, Size2 size, string version)
    {
        var metadata = new Dictionary<string, string>(options.Metadata)
        {
            ["network"] = network.Name,
            ["image_size"] = JsonSerializer.Serialize(new[] { size.Height, size.Width }),
            ["distillsharp"] = version,
        };
        if (options.ShorterSide is { } shorter) metadata["shorter_side"] = shorter.ToString(CultureInfo.InvariantCulture);
        if (options.ClassNames is { } names) metadata["classes"] = JsonSerializer.Serialize(names, JsonText);
        if (options.Normalization is { } images) (metadata["mean"], metadata["std"]) = (Numbers(images.Mean), Numbers(images.Std));
        return metadata;
    }

    static readonly JsonSerializerOptions JsonText =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static string Numbers(ReadOnlySpan<float> values) =>
        $"[{string.Join(", ", values.ToArray().Select(value => value.ToString(CultureInfo.InvariantCulture)))}]";
}

/// <summary>What a network computes, and what its tensors are called in its graph.</summary>
/// <param name="Trace">The calls.</param>
/// <param name="Images">The images' name, as the network takes them.</param>
/// <param name="Results">The name of each call's one result; null where it has several, or none in the graph.</param>
sealed record TracedNames(NetworkTrace Trace, string Images, IReadOnlyList<string?> Results);
