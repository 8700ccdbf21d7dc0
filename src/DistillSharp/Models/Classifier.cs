namespace DistillSharp.Models;

/// <summary>
/// An image classifier that can show its features. State names are those of the public PyTorch implementations, so that
/// their checkpoints load by name.
/// </summary>
/// <param name="name">The name in the registry, for example <c>resnet56</c>.</param>
/// <param name="classes">Number of classes.</param>
/// <param name="input">What images the network takes.</param>
public abstract class Classifier(string name, int classes, InputRule input) : Module
{
    /// <summary>The name in the registry.</summary>
    public string Name { get; } = name;

    /// <summary>Number of classes.</summary>
    public int Classes { get; } = classes;

    /// <summary>What images the network takes.</summary>
    public InputRule Input { get; } = input;

    /// <summary>The linear layer from the pooled features to the logits, where there is just one: SimKD gives it to a student.</summary>
    public virtual Linear? Head => null;

    /// <summary>Whether its logits mean anything; a network that shows its features alone fills them with NaN.</summary>
    public virtual bool ShowsLogits => true;

    /// <summary>
    /// The ranges of its activations, where it was trained as it computes in whole numbers (<see cref="QuantizedTraining"/>); the export
    /// takes them over. Null for any other.
    /// </summary>
    public IReadOnlyList<TrainedRange>? TrainedRanges { get; internal set; }

    /// <summary>Computes the network's operators, in evaluation mode, while it is set; a recording is of the network as it is.</summary>
    internal OperatorReplacement? Replacement { get; set; }

    /// <summary>Under which names other programs keep the same state, where weights are read from their files.</summary>
    internal virtual IReadOnlyList<OtherNames> OtherNames => [];

    /// <summary>Computes logits and the features asked for.</summary>
    /// <param name="images">[N, 3, H, W], normalized; best in channels-last order.</param>
    /// <param name="wanted">What is needed beside the logits.</param>
    /// <exception cref="UserException">The network cannot take images of this size.</exception>
    public ClassifierOutput Forward(Tensor images, Features wanted = Features.Logits) => Forward(images, new FeatureTap(wanted, images));

    ClassifierOutput Forward(Tensor images, FeatureTap tap)
    {
        Input.Check(Name, images);
        using var scope = TensorScope.Open();
        using var replaced = Replacement is { } other && !OperatorTrace.IsRecording ? OperatorTrace.Replace(other) : null;
        var output = tap.Output(Compute(images, tap));
        foreach (var tensor in output.Tensors) scope.Keep(tensor);
        return output;
    }

    /// <summary>Computes the logits and hands features to the tap as they come. Intermediates are freed by the caller.</summary>
    protected abstract Tensor Compute(Tensor images, FeatureTap tap);

    /// <summary>Where the network's state lies; the processor for a network without state.</summary>
    public Device Device => State().Select(entry => entry.Tensor.Device).FirstOrDefault();

    /// <summary>
    /// Folds batch norms into the convolutions before them, for as long as the result lives. The network is put into evaluation
    /// mode and must stay there.
    /// </summary>
    /// <param name="size">Height and width of the images; the network's natural size where it is null.</param>
    public NormFolding FoldNorms(Size2? size = null)
    {
        Train(false);
        const Features all = Features.Pooled | Features.Stages | Features.PreActivations;
        return NormFolding.Of(this, () => Forward(Blank(size ?? Input.Natural), all));
    }

    /// <summary>
    /// The layer that makes the logits of the pooled features, [N, width] to [N, classes], found by running the network once; null
    /// where it is not a single linear layer, or cannot be seen, as in TorchScript.
    /// </summary>
    internal Func<Tensor, Tensor>? FindHead(Size2 image)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        using var trace = OperatorTrace.Record();
        var output = Forward(Blank(image), Features.Pooled);
        if (trace.Calls is not [.., { Operator: "aten::linear" } last] || last.Results[0] != output.Logits
            || last.Arguments[0].Tensor != output.Pooled) return null;
        var (weight, bias) = (last.Arguments[1].Tensor!, last.Arguments[2].Tensor);
        return pooled => Functional.Linear(pooled, weight, bias);
    }

    /// <summary>What the network's features look like for images of a size, found by running it once.</summary>
    /// <param name="size">Height and width; the network's natural size where it is null.</param>
    public NetworkShapes Describe(Size2? size = null) => Describe(size ?? Input.Natural, batch: 1);

    /// <summary>The same by a batch of a size: one without images shows all shapes, and nothing is computed.</summary>
    internal NetworkShapes Describe(Size2 image, long batch)
    {
        using var evaluating = new Evaluating(this);
        using var scope = TensorScope.Open();
        var images = Blank(image, batch);
        using var trace = OperatorTrace.Record();
        var tap = new FeatureTap(Features.Pooled | Features.Stages | Features.PreActivations, images);
        var output = Forward(images, tap);
        return new([.. output.Stages!.Select(FeatureShape.Of)], [.. output.PreActivations!.Select(FeatureShape.Of)], tap.Norms,
            output.Pooled?.Size(1) ?? 0, trace.Calls.Sum(MultiplyAdds.Of));
    }

    Tensor Blank(Size2 image, long batch = 1) => Tensor.Zeros([batch, 3, image.Height, image.Width], device: Device);
}

/// <summary>What images a network takes.</summary>
/// <param name="Natural">The size it was made for.</param>
/// <param name="Multiple">Height and width must be multiples of this.</param>
/// <param name="Min">Height and width must not be less than this.</param>
/// <param name="OnlyNatural">Whether it takes no other size.</param>
public sealed record InputRule(Size2 Natural, int Multiple = 1, int Min = 1, bool OnlyNatural = false)
{
    internal void Check(string network, Tensor images)
    {
        if (images.Dimensions != 4 || images.Size(1) != 3)
            throw new UserException(
                $"{network} takes images of shape [N, 3, H, W]; these have the shape [{string.Join(", ", images.Shape)}]");
        var (height, width) = (images.Size(2), images.Size(3));
        if (OnlyNatural && (height, width) != (Natural.Height, Natural.Width))
            throw new UserException($"{network} takes images of {Natural} only; these are {height}x{width}");
        if (height % Multiple == 0 && width % Multiple == 0 && height >= Min && width >= Min) return;
        var rule = Multiple > 1 ? $"a height and a width that are multiples of {Multiple}, {Min} or more"
            : $"a height and a width of {Min} or more";
        throw new UserException($"{network} cannot take images of {height}x{width}: it needs {rule}, for example {Natural}");
    }
}

/// <summary>The shape of one image's features at a stage.</summary>
public readonly record struct FeatureShape(long Channels, long Height, long Width)
{
    internal static FeatureShape Of(Tensor features) => new(features.Size(1), features.Size(2), features.Size(3));

    public override string ToString() => $"{Channels}x{Height}x{Width}";
}

/// <summary>What a network's features look like.</summary>
/// <param name="Stages">The stem's output, then each stage's.</param>
/// <param name="PreActivations">The same before their last ReLU; empty where a network has none.</param>
/// <param name="Norms">The last batch norm before each pre-activation, null where none stands there.</param>
/// <param name="PooledWidth">Width of the features before the classifier; 0 where the network does not show them.</param>
/// <param name="MultiplyAdds">Multiply-add operations of convolutions and linear layers for one image.</param>
public sealed record NetworkShapes(
    IReadOnlyList<FeatureShape> Stages, IReadOnlyList<FeatureShape> PreActivations, IReadOnlyList<BatchNorm2d?> Norms, long PooledWidth,
    long MultiplyAdds);

/// <summary>Counts the work of recorded operators.</summary>
static class MultiplyAdds
{
    public static long Of(TracedCall call) => call.Operator switch
    {
        // Every output element of a convolution sums over the weight's inputs and area.
        "aten::conv2d" => OneImage(call) * Product(call.Arguments[1].Tensor!.Shape.Skip(1)),
        "aten::linear" => OneImage(call) * call.Arguments[1].Tensor!.Shape[1],
        _ => 0,
    };

    static long OneImage(TracedCall call) => Product(call.Shapes[0].Skip(1));

    static long Product(IEnumerable<long> sizes) => sizes.Aggregate(1L, (product, size) => product * size);
}
