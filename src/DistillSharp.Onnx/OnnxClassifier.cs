using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace DistillSharp.Onnx;

/// <summary>What a graph takes as images.</summary>
public enum OnnxInput
{
    /// <summary>float32 [N, 3, H, W], normalized.</summary>
    Normalized,
    /// <summary>uint8 [N, H, W, 3], RGB, 0..255: the graph prepares them itself.</summary>
    Pixels,
}

/// <summary>
/// An image classifier in an ONNX file, run by ONNX Runtime on the processor: one input of images, logits [N, classes] as first
/// output. May be used by several threads at once.
/// </summary>
public sealed class OnnxClassifier : IDisposable
{
    readonly InferenceSession session;
    readonly RunOptions run = new();
    readonly string input, output;

    /// <summary>Loads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Threads of one run; 0 for as many as there are cores.</param>
    /// <exception cref="UserException">There is no such file, ONNX Runtime cannot run it, or it is no classifier of color
    /// images.</exception>
    public OnnxClassifier(string path, int threads = 0) : this(Read(path), path, threads) { }

    /// <summary>Loads a model that lies in memory.</summary>
    /// <param name="model">The content of a file.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="threads">Threads of one run; 0 for as many as there are cores.</param>
    /// <exception cref="UserException">ONNX Runtime cannot run it, or it is no classifier of color images.</exception>
    public OnnxClassifier(byte[] model, string name, int threads = 0)
    {
        if (threads < 0) throw new UsageException($"{threads} threads cannot run a network; give 1 or more");
        (Name, Bytes, Threads) = (name, model.LongLength, threads);
        session = OnnxSession.Open(name, options => new(model, options), threads);
        try
        {
            (input, output) =
                (session.InputNames.Count == 1 ? session.InputNames[0] : throw NoClassifier($"it has {session.InputNames.Count} inputs"),
                session.OutputNames[0]);
            var (takes, gives) = (session.InputMetadata[input], session.OutputMetadata[output]);
            (Input, var (channels, height, width)) = (takes.ElementDataType, takes.Dimensions) switch
            {
                (TensorElementType.Float, [_, var c, var h, var w]) => (OnnxInput.Normalized, (c, h, w)),
                (TensorElementType.UInt8, [_, var h, var w, var c]) => (OnnxInput.Pixels, (c, h, w)),
                _ => throw NoClassifier($"its input '{input}' is {takes.ElementDataType} [{string.Join(", ", takes.Dimensions)}]"),
            };
            if (channels is not (3 or < 0)) throw NoClassifier($"its images have {channels} channels");
            if (gives.ElementDataType != TensorElementType.Float || gives.Dimensions.Length != 2)
                throw NoClassifier($"its output '{output}' is {gives.ElementDataType} [{string.Join(", ", gives.Dimensions)}]");
            Batch = takes.Dimensions[0] > 0 ? takes.Dimensions[0] : null;
            Size = height > 0 && width > 0 ? new(height, width) : null;
            Card = OnnxCard.Of(session.ModelMetadata.CustomMetadataMap);
            Classes = gives.Dimensions[1] > 0 ? gives.Dimensions[1] : Card.ClassNames?.Count;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file, as it was given.</summary>
    public string Name { get; }

    /// <summary>The file's length.</summary>
    public long Bytes { get; }

    /// <summary>Threads of one run; 0 for as many as there are cores.</summary>
    public int Threads { get; }

    /// <summary>What the graph takes.</summary>
    public OnnxInput Input { get; }

    /// <summary>Images of every batch; null where it takes any number.</summary>
    public int? Batch { get; }

    /// <summary>Height and width of the graph's images; null where it takes any size.</summary>
    public Size2? Size { get; }

    /// <summary>Number of classes; null where the graph does not say.</summary>
    public int? Classes { get; }

    /// <summary>What the file says of itself.</summary>
    public OnnxCard Card { get; }

    /// <summary>Height and width of the network's images: the graph's, or where that takes any size, the metadata's.</summary>
    /// <exception cref="UserException">Neither says it.</exception>
    public Size2 ImageSize =>
        Size ?? Card.ImageSize ?? throw new UserException($"'{Name}' does not say the size of its images (image_size in its metadata)");

    /// <summary>Runs a batch of normalized images.</summary>
    /// <param name="images">[N, 3, H, W].</param>
    /// <param name="count">N.</param>
    /// <param name="size">H and W.</param>
    /// <returns>[N, classes].</returns>
    /// <exception cref="UserException">The graph does not take these images.</exception>
    public float[] Logits(Memory<float> images, int count, Size2 size) => Run(images, OnnxInput.Normalized, count, size);

    /// <summary>Runs a batch of images as decoders give them.</summary>
    /// <param name="pixels">[N, H, W, 3].</param>
    /// <param name="count">N.</param>
    /// <param name="size">H and W.</param>
    /// <returns>[N, classes].</returns>
    /// <exception cref="UserException">The graph does not take these images.</exception>
    public float[] Logits(Memory<byte> pixels, int count, Size2 size) => Run(pixels, OnnxInput.Pixels, count, size);

    /// <summary>Runs images that were made ready for this graph.</summary>
    /// <returns>[N, classes].</returns>
    internal float[] Logits(FedImages fed) =>
        Input == OnnxInput.Pixels ? Logits(fed.Pixels, fed.Count, fed.Size) : Logits(fed.Values, fed.Count, fed.Size);

    /// <summary>Runs images that were made ready for this graph, and shows every output with its name.</summary>
    internal void Visit(FedImages fed, Action<string, ReadOnlySpan<float>> visit)
    {
        if (Input == OnnxInput.Pixels) Run<byte>(fed.Pixels, Input, fed.Count, fed.Size, session.OutputNames, visit);
        else Run<float>(fed.Values, Input, fed.Count, fed.Size, session.OutputNames, visit);
    }

    float[] Run<T>(Memory<T> values, OnnxInput kind, int count, Size2 size) where T : unmanaged
    {
        float[] logits = [];
        Run(values, kind, count, size, [output], (_, result) => logits = result.ToArray());
        return logits;
    }

    void Run<T>(
        Memory<T> values, OnnxInput kind, int count, Size2 size, IReadOnlyList<string> outputs, Action<string, ReadOnlySpan<float>> visit)
            where T : unmanaged
    {
        if (kind != Input) throw new UserException($"'{Name}' takes {Shown(Input)}, not {Shown(kind)}");
        if (Batch is { } fixedBatch && fixedBatch != count)
            throw new UserException($"'{Name}' takes {fixedBatch} images at once, not {count}");
        if (Size is { } own && own != size) throw new UserException($"'{Name}' takes images of {own}, not {size}");
        long[] shape = kind == OnnxInput.Pixels ? [count, size.Height, size.Width, 3] : [count, 3, size.Height, size.Width];
        using var images = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, values[..checked((int)(3 * count * size.Height * size.Width))], shape);
        try
        {
            using var results = session.Run(run, [input], [images], outputs);
            for (var i = 0; i < outputs.Count; i++) visit(outputs[i], results[i].GetTensorDataAsSpan<float>());
        }
        catch (OnnxRuntimeException e) { throw new UserException($"'{Name}' fails in ONNX Runtime: {OnnxSession.Reason(e)}", e); }
    }

    static byte[] Read(string path)
    {
        try { return File.ReadAllBytes(path); }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserException($"cannot read '{path}': the file does not exist", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"cannot read '{path}': {e.Message.TrimEnd('.')}", e);
        }
    }

    UserException NoClassifier(string why) => new($"'{Name}' is no classifier of color images: {why}");

    static string Shown(OnnxInput kind) => kind == OnnxInput.Pixels ? "uint8 [N, H, W, 3]" : "float32 [N, 3, H, W]";

    public void Dispose()
    {
        session.Dispose();
        run.Dispose();
    }
}
