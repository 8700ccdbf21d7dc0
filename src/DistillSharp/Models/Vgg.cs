namespace DistillSharp.Models;

/// <summary>
/// The networks of Simonyan and Zisserman, ICLR 2015, with batch norm, in the CIFAR form of the public distillation benchmarks:
/// five blocks of 3x3 convolutions, halved by pooling between them, and one linear layer. Images of 64 pixels or more are
/// pooled before the last block as well.
/// </summary>
public sealed class Vgg : Classifier
{
    /// <summary>Channels of each block, and how many convolutions each has in the forms of so many layers.</summary>
    internal static readonly long[] Widths = [64, 128, 256, 512, 512];
    internal static readonly (int Layers, int[] Counts)[] Forms =
        [(8, [1, 1, 1, 1, 1]), (11, [1, 1, 2, 2, 2]), (13, [2, 2, 2, 2, 2]), (16, [2, 2, 3, 3, 3]), (19, [2, 2, 4, 4, 4])];

    readonly ConvNormRelu[] blocks;
    readonly Linear classifier;

    internal static void Register(Registry<NetworkFactory> networks)
    {
        foreach (var (layers, counts) in Forms) networks.Add($"vgg{layers}", (name, classes) => new Vgg(name, classes, counts));
    }

    // Three poolings by two, which drop what is left over: below 8 pixels nothing would be left.
    Vgg(string name, int classes, int[] counts) : base(name, classes, new InputRule(32, Min: 8))
    {
        blocks = [.. counts.Select((count, b) => Child($"block{b}", new ConvNormRelu([.. Enumerable.Range(0, count).Select(i =>
            new Conv2d(i > 0 ? Widths[b] : b > 0 ? Widths[b - 1] : 3, Widths[b], 3, padding: 1, bias: true))])))];
        classifier = Child("classifier", new Linear(Widths[^1], classes));
        InitialWeights.HeConvolutions(this);
        InitialWeights.SmallClassifier(classifier);
    }

    public override Linear Head => classifier;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var poolings = images.Size(2) >= 64 && images.Size(3) >= 64 ? blocks.Length - 1 : blocks.Length - 2;
        var x = images;
        for (var b = 0; b < blocks.Length; b++)
        {
            // The first block is the stem, which the benchmarks show activated in both lists.
            var (activated, preActivation) = blocks[b].Forward(x, b > 0 && tap.WantsPreActivations);
            tap.Stage(activated, b == 0 ? activated : preActivation, blocks[b].LastNorm);
            tap.Release(x);
            x = b < poolings ? tap.Step(activated, Functional.MaxPool2d(activated, 2)) : activated;
        }
        return classifier.Forward(tap.Pooled(Functional.GlobalAvgPool(x)));
    }
}
