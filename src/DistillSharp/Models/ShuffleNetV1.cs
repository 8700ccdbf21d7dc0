namespace DistillSharp.Models;

/// <summary>
/// ShuffleNet (Zhang et al., CVPR 2018, table 1, three groups) in the CIFAR form of the public distillation benchmarks: the stem
/// is a 1x1 convolution without pooling.
/// </summary>
public sealed class ShuffleNetV1 : Classifier
{
    const int StemWidth = 24;

    readonly Conv2d conv1;
    readonly BatchNorm2d bn1;
    readonly Blocks[] stages;
    readonly Linear linear;

    internal ShuffleNetV1(string name, int classes) : base(name, classes, new InputRule(32))
    {
        conv1 = Child("conv1", new Conv2d(3, StemWidth, 1));
        bn1 = Child("bn1", new BatchNorm2d(StemWidth));
        stages =
        [
            Child("layer1", Stage(StemWidth, 240, count: 4)),
            Child("layer2", Stage(240, 480, count: 8)),
            Child("layer3", Stage(480, 960, count: 4)),
        ];
        linear = Child("linear", new Linear(960, classes));
    }

    // The grouping of the very first convolution is left out: there are too few channels for it (section 3.2 of the paper).
    static Blocks Stage(long inputs, long outputs, int count) => new(Enumerable.Range(0, count).Select(i =>
        new ShuffleUnit(i == 0 ? inputs : outputs, outputs, halves: i == 0, groupsFirst: i > 0 || inputs != StemWidth)));

    public override Linear Head => linear;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = bn1.ForwardRelu(conv1, images);
        tap.Stage(x, x, bn1);
        foreach (var stage in stages) x = stage.Forward(x, tap);
        return linear.Forward(tap.Pooled(Functional.GlobalAvgPool(x)));
    }
}

/// <summary>
/// relu(r + x), r = bn(gconv(relu(bn(dwconv(shuffle(relu(bn(gconv(x)))))))); where it halves the image, relu of r beside the
/// 3x3 average of x (figure 2 b and c).
/// </summary>
sealed class ShuffleUnit : StageBlock
{
    const int Groups = 3;

    readonly NormedConvolution first, second, third;
    readonly bool halves;

    /// <summary>Where it halves height and width, the input joins as channels of its own.</summary>
    public ShuffleUnit(long inputs, long outputs, bool halves, bool groupsFirst)
    {
        this.halves = halves;
        var added = halves ? outputs - inputs : outputs;
        var width = added / 4;
        first = Normed(1, new Conv2d(inputs, width, 1, groups: groupsFirst ? Groups : 1));
        second = Normed(2, new Conv2d(width, width, 3, stride: halves ? 2 : 1, padding: 1, groups: width));
        third = Normed(3, new Conv2d(width, added, 1, groups: Groups));
    }

    public override BatchNorm2d? LastNorm => halves ? null : third.Norm;

    public override (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var inner = ChannelShuffle.Of(first.ForwardRelu(x), first.Convolution.Groups);
        inner = third.Convolution.Forward(second.ForwardRelu(inner));
        // x is activated, so its average has nothing for the last ReLU to cut off.
        var average = halves ? Functional.AvgPool2d(x, 3, stride: 2, padding: 1) : null;
        var (activated, before) = third.Norm.Activate(inner, halves ? null : x, wantsPreActivation);
        if (average is null) return (scope.Keep(activated), scope.KeepIfAny(before));
        return (scope.Keep(Tensor.Cat([activated, average], 1)), before is null ? null : scope.Keep(Tensor.Cat([before, average], 1)));
    }
}
