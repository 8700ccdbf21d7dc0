using DistillSharp.Data;

namespace DistillSharp.Interop.Onnx;

/// <summary>How a network is written as ONNX.</summary>
public sealed record OnnxOptions
{
    /// <summary>The oldest operator set that can be asked for.</summary>
    public const int OldestOpset = 13;

    /// <summary>The newest operator set that can be asked for.</summary>
    public const int NewestOpset = 20;

    /// <summary>The operator set that is written where none is asked for, unless the graph resizes.</summary>
    public const int UsualOpset = 17;

    /// <summary>The first operator set that resizes images as they were resized in training, without aliasing.</summary>
    public const int ResizingOpset = 18;

    /// <summary>
    /// The version of ONNX's operators; null for <see cref="UsualOpset"/>, or <see cref="ResizingOpset"/> with preprocessing.
    /// </summary>
    public int? Opset { get; init; }

    /// <summary>Images of one batch, where the batch is not dynamic.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Whether the graph takes batches of any size: the input's first dimension is then named <c>batch</c>.</summary>
    public bool DynamicBatch { get; init; }

    /// <summary>Height and width of the images; the network's natural size where it is null.</summary>
    public Size2? ImageSize { get; init; }

    /// <summary>Whether each batch norm that directly follows a convolution becomes part of that convolution's weights.</summary>
    public bool FoldBatchNorm { get; init; } = true;

    /// <summary>
    /// Whether the graph itself prepares images. Its input is then uint8 [N, H, W, 3], RGB, 0..255, of any size, as image decoders
    /// give it; the graph scales the shorter side to <see cref="ShorterSide"/>, cuts the middle out and normalizes. Otherwise it
    /// is float32 [N, 3, H, W], already normalized. It needs <see cref="Normalization"/> and <see cref="ResizingOpset"/>.
    /// </summary>
    public bool WithPreprocessing { get; init; }

    /// <summary>
    /// To which length the shorter side of an image is scaled; null for the larger of the network's. Written to the metadata.
    /// </summary>
    public int? ShorterSide { get; init; }

    /// <summary>How images were normalized in training; written to the metadata as <c>mean</c> and <c>std</c>.</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>The names of the classes, in the order of the logits; written to the metadata as <c>classes</c>, a JSON list.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Further texts for the metadata, for example the accuracy.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    internal int WrittenOpset => Opset ?? (WithPreprocessing ? ResizingOpset : UsualOpset);

    internal void Validate(string network, int classes)
    {
        if (Opset is < OldestOpset or > NewestOpset)
            throw new UsageException($"ONNX operator set {Opset} is not supported; give {OldestOpset} to {NewestOpset}");
        if (Batch < 1) throw new UsageException($"a batch of {Batch} images cannot be; give 1 or more");
        if (WithPreprocessing && Normalization is null)
            throw new UsageException("preprocessing in the graph needs the mean and the standard deviation of the data set");
        if (WithPreprocessing && Opset < ResizingOpset)
            throw new UsageException($"ONNX operator set {Opset} cannot resize images as they were in training; preprocessing in the graph "
                + $"needs {ResizingOpset} or newer");
        if (Normalization is { Channels: not 3 })
            throw new UsageException($"the normalization has {Normalization.Channels} channels, but {network} takes images of 3");
        if (ClassNames is not null && ClassNames.Count != classes)
            throw new UsageException($"{ClassNames.Count} class names were given for {network}, which has {classes} classes");
    }
}
