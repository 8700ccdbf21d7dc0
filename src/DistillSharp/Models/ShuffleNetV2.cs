namespace DistillSharp.Models;

/// <summary>
/// ShuffleNetV2 (Ma et al., ECCV 2018, table 5, 1x) in the CIFAR form of the public distillation benchmarks: the stem is a 1x1
/// convolution without pooling. Each stage is shown shuffled, its pre-activation as it was before the shuffle.
/// </summary>
public sealed class ShuffleNetV2 : Classifier
{
    const int StemWidth = 24, LastWidth = 1024;

    readonly Conv2d conv1, conv2;
    readonly BatchNorm2d bn1, bn2;
    readonly Blocks[] stages;
    readonly Linear linear;

    internal ShuffleNetV2(string name, int classes) : base(name, classes, new InputRule(32))
    {
        conv1 = Child("conv1", new Conv2d(3, StemWidth, 1));
        bn1 = Child("bn1", new BatchNorm2d(StemWidth));
        stages =
        [
            Child("layer1", Stage(StemWidth, 116, units: 3)),
            Child("layer2", Stage(116, 232, units: 7)),
            Child("layer3", Stage(232, 464, units: 3)),
        ];
        conv2 = Child("conv2", new Conv2d(464, LastWidth, 1));
        bn2 = Child("bn2", new BatchNorm2d(LastWidth));
        linear = Child("linear", new Linear(LastWidth, classes));
    }

    static Blocks Stage(long inputs, long outputs, int units) =>
        new([new HalvingUnit(inputs, outputs), .. Enumerable.Range(0, units).Select(_ => new SplitUnit(outputs))]);

    public override Linear Head => linear;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = bn1.ForwardRelu(conv1, images);
        tap.Stage(x, x, bn1);
        foreach (var stage in stages) x = stage.Forward(x, tap);
        return linear.Forward(tap.Pooled(Functional.GlobalAvgPool(bn2.ForwardRelu(conv2, x))));
    }
}

/// <summary>Half of the channels pass by; the others go through relu(bn(conv(bn(dwconv(relu(bn(conv)))))) (figure 3 c).</summary>
sealed class SplitUnit : StageBlock
{
    readonly NormedConvolution first, second, third;

    public SplitUnit(long channels)
    {
        var half = channels / 2;
        first = Normed(1, new Conv2d(half, half, 1));
        second = Normed(2, new Conv2d(half, half, 3, padding: 1, groups: half));
        third = Normed(3, new Conv2d(half, half, 1));
    }

    // The last norm knows nothing of the half that passes by.
    public override BatchNorm2d? LastNorm => null;

    public override (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var half = x.Size(1) / 2;
        var (passing, inner) = (x.Narrow(1, 0, half), x.Narrow(1, half, half));
        inner = second.Forward(first.ForwardRelu(inner));
        var (activated, preActivation) = third.Norm.Activate(third.Convolution, inner, residual: null, wantsPreActivation);
        return (
            scope.Keep(ChannelShuffle.Of(Tensor.Cat([passing, activated], 1), 2)),
            preActivation is null ? null : scope.Keep(Tensor.Cat([passing, preActivation], 1)));
    }
}

/// <summary>Two branches over all channels, each halving height and width, joined and shuffled (figure 3 d).</summary>
sealed class HalvingUnit : StageBlock
{
    readonly NormedConvolution left1, left2, right1, right2, right3;

    public HalvingUnit(long inputs, long outputs)
    {
        var half = outputs / 2;
        left1 = Normed(1, new Conv2d(inputs, inputs, 3, stride: 2, padding: 1, groups: inputs));
        left2 = Normed(2, new Conv2d(inputs, half, 1));
        right1 = Normed(3, new Conv2d(inputs, half, 1));
        right2 = Normed(4, new Conv2d(half, half, 3, stride: 2, padding: 1, groups: half));
        right3 = Normed(5, new Conv2d(half, half, 1));
    }

    public override BatchNorm2d? LastNorm => null;

    public override (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var left = left2.Convolution.Forward(left1.Forward(x));
        var right = right3.Convolution.Forward(right2.Forward(right1.ForwardRelu(x)));
        var (leftActivated, leftBefore) = left2.Norm.Activate(left, residual: null, wantsPreActivation);
        var (rightActivated, rightBefore) = right3.Norm.Activate(right, residual: null, wantsPreActivation);
        return (
            scope.Keep(ChannelShuffle.Of(Tensor.Cat([leftActivated, rightActivated], 1), 2)),
            leftBefore is null ? null : scope.Keep(Tensor.Cat([leftBefore, rightBefore!], 1)));
    }
}
