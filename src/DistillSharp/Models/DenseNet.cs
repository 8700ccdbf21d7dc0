namespace DistillSharp.Models;

/// <summary>
/// DenseNet (Huang et al., CVPR 2017, table 1) with torchvision's state names. Each layer adds its features to all before. A stage is
/// what leaves a block through the norm and the ReLU behind it, its pre-activation what the norm makes of it.
/// </summary>
sealed class DenseNet : Classifier
{
    const long Growth = 32, Stem = 64;

    readonly Conv2d conv0;
    readonly BatchNorm2d norm0;
    readonly DenseLayer[][] blocks;
    readonly (BatchNorm2d Norm, Conv2d? Convolution)[] ends;
    readonly Linear classifier;

    // Four halvings; the last transition's pooling needs two pixels.
    internal DenseNet(string name, int classes, params int[] counts) : base(name, classes, new InputRule(224, Min: 32))
    {
        conv0 = Child("features.conv0", new Conv2d(3, Stem, 7, stride: 2, padding: 3));
        norm0 = Child("features.norm0", new BatchNorm2d(Stem));
        var channels = Stem;
        blocks = new DenseLayer[counts.Length][];
        ends = new (BatchNorm2d, Conv2d?)[counts.Length];
        for (var b = 0; b < counts.Length; b++)
        {
            blocks[b] = new DenseLayer[counts[b]];
            for (var i = 0; i < counts[b]; i++, channels += Growth)
                blocks[b][i] = Child($"features.denseblock{b + 1}.denselayer{i + 1}", new DenseLayer(channels, Growth));
            var isLast = b == counts.Length - 1;
            var norm = Child(isLast ? "features.norm5" : $"features.transition{b + 1}.norm", new BatchNorm2d(channels));
            ends[b] = (norm, isLast ? null : Child($"features.transition{b + 1}.conv", new Conv2d(channels, channels / 2, 1)));
            if (!isLast) channels /= 2;
        }
        classifier = Child("classifier", new Linear(channels, classes));
        foreach (var (_, module) in NamedModules())
            if (module is Conv2d convolution) Initialize.KaimingNormalFanIn(convolution.Weight);
        using var off = Autograd.NoGrad();
        classifier.Bias!.Fill(0);
    }

    public override Linear Head => classifier;

    // The published files keep names that PyTorch gave up later.
    internal override IReadOnlyList<OtherNames> OtherNames =>
    [
        new("an older torchvision",
            from b in Enumerable.Range(0, blocks.Length)
            from i in Enumerable.Range(0, blocks[b].Length)
            from part in new[] { "norm", "conv" }
            from number in new[] { 1, 2 }
            let layer = $"features.denseblock{b + 1}.denselayer{i + 1}"
            select ($"{layer}.{part}{number}", $"{layer}.{part}.{number}")),
    ];

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = norm0.ForwardRelu(conv0, images);
        tap.Stage(x, x, norm0);
        x = tap.Step(x, Functional.MaxPool2d(x, 3, stride: 2, padding: 1));
        for (var b = 0; b < blocks.Length; b++)
        {
            foreach (var layer in blocks[b]) x = tap.Step(x, layer.Forward(x));
            var (norm, convolution) = ends[b];
            var (activated, preActivation) = norm.Activate(x, residual: null, tap.WantsPreActivations);
            tap.Stage(activated, preActivation, norm);
            x = tap.Step(x, activated);
            if (convolution is null) continue;
            x = tap.Step(x, convolution.Forward(x));
            x = tap.Step(x, Functional.AvgPool2d(x, 2));
        }
        return classifier.Forward(tap.Pooled(Functional.GlobalAvgPool(x)));
    }
}

/// <summary>x joined with conv(relu(bn(conv(relu(bn(x)))))), 1x1 and 3x3.</summary>
sealed class DenseLayer : Layer
{
    readonly BatchNorm2d norm1, norm2;
    readonly Conv2d conv1, conv2;

    public DenseLayer(long inputs, long growth)
    {
        norm1 = Child("norm1", new BatchNorm2d(inputs));
        conv1 = Child("conv1", new Conv2d(inputs, 4 * growth, 1));
        norm2 = Child("norm2", new BatchNorm2d(4 * growth));
        conv2 = Child("conv2", new Conv2d(4 * growth, growth, 3, padding: 1));
    }

    public override Tensor Forward(Tensor x)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(Tensor.Cat([x, conv2.Forward(norm2.ForwardRelu(conv1, norm1.ForwardRelu(x)))], 1));
    }
}
