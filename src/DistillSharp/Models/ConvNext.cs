namespace DistillSharp.Models;

/// <summary>
/// ConvNeXt (Liu et al., A ConvNet for the 2020s, CVPR 2022) with torchvision's state names: a stem of 4x4 patches, four stages of
/// blocks, a norm and a 2x2 convolution between them. convnext_tiny is the paper's, convnext_atto timm's smallest (depths 2, 2, 6, 2,
/// widths 40 to 320). In the form for small images (NAME_cifar) the stem is a 3x3 convolution that keeps the size. The stages end
/// linearly, and so have no pre-activations; the pooled features are normalized. Stochastic depth is left out.
/// </summary>
sealed class ConvNext : Classifier
{
    const double Epsilon = 1e-6;

    readonly Conv2d stem;
    readonly LayerNorm stemNorm, lastNorm;
    readonly (LayerNorm Norm, Conv2d Convolution)[] halvings;
    readonly ConvNextBlock[][] stages;
    readonly Linear classifier;

    internal static void Register(Registry<NetworkFactory> networks)
    {
        void Add(string name, bool small, int[] depths, params long[] widths) =>
            networks.Add(name, (given, classes) => new ConvNext(given, classes, small, depths, widths));

        Add("convnext_tiny", small: false, [3, 3, 9, 3], 96, 192, 384, 768);
        Add("convnext_atto", small: false, [2, 2, 6, 2], 40, 80, 160, 320);
        Add("convnext_atto_cifar", small: true, [2, 2, 6, 2], 40, 80, 160, 320);
    }

    ConvNext(string name, int classes, bool small, int[] depths, long[] widths)
        : base(name, classes, small ? new InputRule(32, Min: 8) : new InputRule(224, Min: 32))
    {
        stem = Child("features.0.0", small
            ? new Conv2d(3, widths[0], 3, padding: 1, bias: true)
            : new Conv2d(3, widths[0], 4, stride: 4, bias: true));
        stemNorm = Child("features.0.1", new LayerNorm(widths[0], Epsilon));
        stages = new ConvNextBlock[depths.Length][];
        halvings = new (LayerNorm, Conv2d)[depths.Length - 1];
        for (var s = 0; s < stages.Length; s++)
        {
            if (s > 0)
                halvings[s - 1] = (
                    Child($"features.{2 * s}.0", new LayerNorm(widths[s - 1], Epsilon)),
                    Child($"features.{2 * s}.1", new Conv2d(widths[s - 1], widths[s], 2, stride: 2, bias: true)));
            stages[s] = new ConvNextBlock[depths[s]];
            for (var i = 0; i < depths[s]; i++) stages[s][i] = Child($"features.{2 * s + 1}.{i}", new ConvNextBlock(widths[s], Epsilon));
        }
        lastNorm = Child("classifier.0", new LayerNorm(widths[^1], Epsilon));
        classifier = Child("classifier.2", new Linear(widths[^1], classes));
        InitialWeights.Narrow(this);
    }

    public override Linear Head => classifier;

    internal override IReadOnlyList<OtherNames> OtherNames => [new("timm", Timm())];

    IEnumerable<(string Own, string Other)> Timm()
    {
        yield return ("features.0", "stem");
        for (var s = 0; s < stages.Length; s++)
        {
            if (s > 0) yield return ($"features.{2 * s}", $"stages.{s}.downsample");
            for (var i = 0; i < stages[s].Length; i++)
                foreach (var (own, other) in ConvNextBlock.TimmNames)
                    yield return ($"features.{2 * s + 1}.{i}.{own}", $"stages.{s}.blocks.{i}.{other}");
        }
        yield return ("classifier.0", "head.norm");
        yield return ("classifier.2", "head.fc");
    }

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = OverChannels(stemNorm, stem.Forward(images));
        tap.Stage(x);
        for (var s = 0; s < stages.Length; s++)
        {
            if (s > 0) x = tap.Step(x, Halve(halvings[s - 1], x));
            foreach (var block in stages[s]) x = tap.Step(x, block.Forward(x));
            tap.Stage(x);
        }
        return classifier.Forward(tap.Pooled(lastNorm.Forward(Functional.GlobalAvgPool(x))));
    }

    static Tensor Halve((LayerNorm Norm, Conv2d Convolution) halving, Tensor x)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(halving.Convolution.Forward(OverChannels(halving.Norm, x)));
    }

    // [N, C, H, W] to the same; in channels-last order nothing is copied.
    static Tensor OverChannels(LayerNorm norm, Tensor x)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(norm.Forward(x.Permute(0, 2, 3, 1)).Permute(0, 3, 1, 2));
    }
}

/// <summary>x + scale * fc(gelu(fc(norm(dwconv(x))))), the layers over channels (the paper's figure 4).</summary>
sealed class ConvNextBlock : Layer
{
    /// <summary>The names of its parts here and in timm.</summary>
    public static readonly (string Own, string Other)[] TimmNames =
        [("layer_scale", "gamma"), ("block.0", "conv_dw"), ("block.2", "norm"), ("block.3", "mlp.fc1"), ("block.5", "mlp.fc2")];

    readonly Tensor scale;
    readonly Conv2d filter;
    readonly LayerNorm norm;
    readonly Linear widen, narrow;

    public ConvNextBlock(long channels, double epsilon)
    {
        scale = Parameter("layer_scale", Tensor.Full([channels, 1, 1], 1e-6));
        filter = Child("block.0", new Conv2d(channels, channels, 7, padding: 3, groups: channels, bias: true));
        norm = Child("block.2", new LayerNorm(channels, epsilon));
        widen = Child("block.3", new Linear(channels, 4 * channels));
        narrow = Child("block.5", new Linear(4 * channels, channels));
    }

    public override Tensor Forward(Tensor x)
    {
        using var scope = TensorScope.Open();
        var filtered = filter.Forward(x).Permute(0, 2, 3, 1);
        var wide = Functional.Gelu(widen.Forward(norm.Forward(filtered)));
        return scope.Keep(x + narrow.Forward(wide).Permute(0, 3, 1, 2) * scale);
    }
}
