namespace DistillSharp.Models;

/// <summary>
/// Networks of inverted residual blocks with torchvision's state names: MobileNetV2, MobileNetV3 and EfficientNet. A stem that halves
/// the image, the blocks, a last 1x1 convolution, the mean, a classifier. In the form for small images (NAME_cifar) the stem and the
/// next step that would halve keep the size.
/// <para>
/// The stages are the stem's output and the last block's at each size below; they end linearly, and so have no pre-activations. The
/// pooled features are what the last linear layer sees. Dropout and stochastic depth, which torchvision has in training, are left
/// out: a step depends on its images alone.
/// </para>
/// </summary>
sealed class MobileNetwork : Classifier
{
    readonly MobileNetworkForm form;
    readonly ConvNorm stem, last;
    readonly MobileBlock[] blocks;
    readonly string[] blockNames;
    readonly int[] stageEnds;
    readonly Linear? hidden;
    readonly Linear classifier;

    internal static void Register(Registry<NetworkFactory> networks)
    {
        networks.Add("mobilenet_v2", (name, classes) => new MobileNetwork(name, classes, MobileNetworkForms.V2, small: false));
        foreach (var small in new[] { false, true })
        {
            void Add(string name, MobileNetworkForm form) =>
                networks.Add(small ? $"{name}_cifar" : name, (given, classes) => new MobileNetwork(given, classes, form, small));
            Add("mobilenet_v3_small", MobileNetworkForms.V3Small);
            Add("mobilenet_v3_large", MobileNetworkForms.V3Large);
            Add("efficientnet_b0", MobileNetworkForms.EfficientNetB0);
        }
    }

    MobileNetwork(string name, int classes, MobileNetworkForm form, bool small) : base(name, classes, new InputRule(small ? 32 : 224))
    {
        this.form = form;
        var family = form.Family;
        var first = new Conv2d(3, form.Stem, 3, small ? 1 : 2, padding: 1);
        stem = Child("features.0", new ConvNorm(first, family.Norm(form.Stem), form.Activation));

        List<int> halvings = [.. Enumerable.Range(0, form.Blocks.Length).Where(i => form.Blocks[i].Stride == 2)];
        stageEnds = [.. halvings.Skip(1).Select(start => start - 1), form.Blocks.Length - 1];
        blocks = new MobileBlock[form.Blocks.Length];
        blockNames = [.. NamesOf(form)];
        var inputs = form.Stem;
        for (var i = 0; i < blocks.Length; i++)
        {
            var block = small && i == halvings[0] ? form.Blocks[i] with { Stride = 1 } : form.Blocks[i];
            blocks[i] = Child($"features.{blockNames[i]}", new MobileBlock(inputs, block, family));
            inputs = block.Outputs;
        }
        last = Child(LastName, new ConvNorm(new Conv2d(inputs, form.Last, 1), family.Norm(form.Last), form.Activation));
        if (form.Hidden is { } width) hidden = Child("classifier.0", new Linear(form.Last, width));
        classifier = Child(form.Classifier, new Linear(form.Hidden ?? form.Last, classes));
        InitialWeights.HeConvolutions(this);
        form.DrawClassifier(classifier);
        if (hidden is not null) InitialWeights.SmallClassifier(hidden);
    }

    string LastName => $"features.{int.Parse(blockNames[^1].Split('.')[0]) + 1}";

    // One after the other from 1 on, or as GROUP.INDEX where blocks of one width are a group.
    static IEnumerable<string> NamesOf(MobileNetworkForm form)
    {
        var (group, index) = (0, 0);
        for (var i = 0; i < form.Blocks.Length; i++)
        {
            (group, index) = i > 0 && form.Blocks[i].Outputs == form.Blocks[i - 1].Outputs ? (group, index + 1) : (group + 1, 0);
            yield return form.Grouped ? $"{group}.{index}" : $"{i + 1}";
        }
    }

    public override Linear Head => classifier;

    internal override IReadOnlyList<OtherNames> OtherNames => [new("timm", Timm(), form.TimmEpsilons)];

    IEnumerable<(string Own, string Other)> Timm()
    {
        yield return ("features.0.0", "conv_stem");
        yield return ("features.0.1", "bn1");
        string[] places = [.. NamesOf(form with { Grouped = true })];
        for (var i = 0; i < blocks.Length; i++)
        {
            var place = places[i].Split('.');
            foreach (var (own, other) in blocks[i].TimmNames)
                yield return ($"features.{blockNames[i]}.{own}", $"blocks.{int.Parse(place[0]) - 1}.{place[1]}.{other}");
        }
        var behind = $"blocks.{places[^1].Split('.')[0]}.0";
        var (lastConvolution, lastNorm) = hidden is null ? ("conv_head", "bn2") : ($"{behind}.conv", $"{behind}.bn1");
        yield return ($"{LastName}.0", lastConvolution);
        yield return ($"{LastName}.1", lastNorm);
        if (hidden is not null) yield return ("classifier.0", "conv_head");
        yield return (form.Classifier, "classifier");
    }

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = stem.Forward(images);
        tap.Stage(x);
        for (var i = 0; i < blocks.Length; i++)
        {
            x = tap.Step(x, blocks[i].Forward(x));
            if (stageEnds.Contains(i)) tap.Stage(x);
        }
        var pooled = Functional.GlobalAvgPool(last.Forward(x));
        if (hidden is not null) pooled = form.Activation(hidden.Forward(pooled));
        return classifier.Forward(tap.Pooled(pooled));
    }
}
