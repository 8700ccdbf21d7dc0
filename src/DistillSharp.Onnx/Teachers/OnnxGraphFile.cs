using Microsoft.ML.OnnxRuntime;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace DistillSharp.Onnx.Teachers;

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its sizes; null for one that the graph leaves open.</param>
/// <param name="Type">Its elements' type.</param>
public sealed record OnnxValue(string Name, IReadOnlyList<long?> Shape, string Type)
{
    /// <summary>As in <c>images  [?, 3, 224, 224]  Float</c>.</summary>
    public override string ToString() => $"{Name}  [{string.Join(", ", Shape.Select(size => size?.ToString() ?? "?"))}]  {Type}";
}

/// <summary>A graph in an ONNX file, run by ONNX Runtime on the processor. Its input is float32 images.</summary>
public sealed class OnnxGraphFile : IDisposable
{
    /// <summary>What such a file is called.</summary>
    public const string Kind = "a graph of ONNX";

    readonly InferenceSession session;
    readonly RunOptions run = new();

    /// <summary>Opens a file.</summary>
    /// <exception cref="UserException">It is missing, or ONNX Runtime cannot run it.</exception>
    public OnnxGraphFile(string path)
    {
        Path = path;
        if (!File.Exists(path))
            throw new UserException(
                $"cannot read {path}: {(Directory.Exists(path) ? "it is a folder, a file is needed" : "the file does not exist")}");
        session = OnnxSession.Open(path, options => new(path, options));
        Inputs = [.. session.InputMetadata.Select(Value)];
        Outputs = [.. session.OutputMetadata.Select(Value)];
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>What it needs.</summary>
    public IReadOnlyList<OnnxValue> Inputs { get; }

    /// <summary>What it gives.</summary>
    public IReadOnlyList<OnnxValue> Outputs { get; }

    /// <summary>Runs it.</summary>
    /// <param name="input">The values of its one input.</param>
    /// <param name="shape">Their sizes.</param>
    /// <param name="outputs">Names of outputs.</param>
    /// <returns>float32, one for each name. They belong to the caller's scope.</returns>
    /// <exception cref="UserException">ONNX Runtime refuses, or an output is not float32.</exception>
    internal Tensor[] Run(float[] input, long[] shape, IReadOnlyList<string> outputs)
    {
        try
        {
            using var images = OrtValue.CreateTensorValueFromMemory(input, shape);
            using var results = session.Run(run, [Inputs[0].Name], [images], outputs);
            return [.. results.Select((result, i) => result.GetTensorTypeAndShape() is { ElementDataType: TensorElementType.Float } given
                ? Tensor.From(result.GetTensorDataAsSpan<float>(), given.Shape)
                : throw new UserException($"{Path}: the output {outputs[i]} is not float32"))];
        }
        catch (OnnxRuntimeException e)
        {
            throw new UserException(
                $"{Path}: ONNX Runtime cannot run it on images of [{string.Join(", ", shape)}]: {OnnxSession.Reason(e)}", e);
        }
    }

    static OnnxValue Value(KeyValuePair<string, NodeMetadata> entry) =>
        new(entry.Key, [.. entry.Value.Dimensions.Select(size => size < 0 ? null : (long?)size)],
        (entry.Value.IsTensor ? $"{entry.Value.ElementDataType}" : $"{entry.Value.OnnxValueType}").ToLowerInvariant());

    public void Dispose()
    {
        session.Dispose();
        run.Dispose();
    }
}
