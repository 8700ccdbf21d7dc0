namespace DistillSharp.Models;

/// <summary>
/// The networks of Simonyan and Zisserman, ICLR 2015, with batch norm, for ImageNet, with torchvision's state names: five blocks of 3x3
/// convolutions, each followed by pooling, and three linear layers. The stages are the blocks' outputs before pooling; the pooled
/// features are what the last linear layer sees. torchvision's dropout in training is left out.
/// </summary>
sealed class VggBn : Classifier
{
    const long Grid = 7, Hidden = 4096;

    readonly NormedConvolution[][] blocks = new NormedConvolution[Vgg.Widths.Length][];
    readonly Linear first, second, classifier;

    internal static void Register(Registry<NetworkFactory> networks)
    {
        foreach (var (layers, counts) in Vgg.Forms.Skip(1))
            networks.Add($"vgg{layers}_bn", (name, classes) => new VggBn(name, classes, counts));
    }

    VggBn(string name, int classes, int[] counts) : base(name, classes, new InputRule(224, Min: 32))
    {
        // Convolution, norm and ReLU take a number each, the pooling behind a block one more.
        var (at, inputs) = (0, 3L);
        for (var b = 0; b < blocks.Length; b++, at++)
        {
            blocks[b] = new NormedConvolution[counts[b]];
            for (var i = 0; i < counts[b]; i++, at += 3)
            {
                blocks[b][i] = new(
                    Child($"features.{at}", new Conv2d(inputs, Vgg.Widths[b], 3, padding: 1, bias: true)),
                    Child($"features.{at + 1}", new BatchNorm2d(Vgg.Widths[b])));
                inputs = Vgg.Widths[b];
            }
        }
        first = Child("classifier.0", new Linear(inputs * Grid * Grid, Hidden));
        second = Child("classifier.3", new Linear(Hidden, Hidden));
        classifier = Child("classifier.6", new Linear(Hidden, classes));
        InitialWeights.HeConvolutions(this);
        foreach (var linear in new[] { first, second, classifier }) InitialWeights.SmallClassifier(linear);
    }

    public override Linear Head => classifier;

    internal override IReadOnlyList<OtherNames> OtherNames =>
        [new("timm", [("classifier.0", "pre_logits.fc1"), ("classifier.3", "pre_logits.fc2"), ("classifier.6", "head.fc")])];

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = images;
        for (var b = 0; b < blocks.Length; b++)
        {
            foreach (var step in blocks[b][..^1]) x = tap.Step(x, step.ForwardRelu(x));
            var (last, lastNorm) = blocks[b][^1];
            // The first block is the stem, which the benchmarks show activated in both lists.
            var (activated, preActivation) = lastNorm.Activate(last, x, residual: null, b > 0 && tap.WantsPreActivations);
            tap.Stage(activated, b == 0 ? activated : preActivation, lastNorm);
            x = tap.Step(x, activated);
            x = tap.Step(x, Functional.MaxPool2d(x, 2));
        }
        var pooled = Functional.Relu(second.Forward(Functional.Relu(first.Forward(Functional.AdaptiveAvgPool2d(x, Grid).Flatten(1)))));
        return classifier.Forward(tap.Pooled(pooled));
    }
}
