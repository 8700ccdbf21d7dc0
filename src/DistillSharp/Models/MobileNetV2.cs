namespace DistillSharp.Models;

/// <summary>
/// MobileNetV2 (Sandler et al., CVPR 2018, table 2) at half width, in the CIFAR form of the public distillation benchmarks:
/// the stem halves the image, the second group of blocks does not. Its stages end linearly, without a ReLU, and so have no
/// pre-activations.
/// </summary>
public sealed class MobileNetV2 : Classifier
{
    const int LastWidth = 1280;

    static readonly (long Expansion, long Width, int Count, long Stride)[] groups =
        [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    // The last groups of blocks at each size: their outputs are the stages.
    static readonly int[] stageEnds = [1, 2, 4, 6];

    readonly ConvNormRelu conv1, conv2;
    readonly InvertedResidual[][] blocks;
    readonly Linear classifier;

    internal MobileNetV2(string name, int classes) : base(name, classes, new InputRule(32))
    {
        static long Half(long width) => width / 2;
        var inputs = Half(32);
        conv1 = Child("conv1", new ConvNormRelu(new Conv2d(3, inputs, 3, stride: 2, padding: 1)));
        blocks = new InvertedResidual[groups.Length][];
        foreach (var (g, (expansion, width, count, stride)) in groups.Index())
        {
            InvertedResidual Block(int i) => new(i == 0 ? inputs : Half(width), Half(width), i == 0 ? stride : 1, expansion);
            blocks[g] = [.. Enumerable.Range(0, count).Select(i => Child($"blocks.{g}.{i}", Block(i)))];
            inputs = Half(width);
        }
        conv2 = Child("conv2", new ConvNormRelu(new Conv2d(inputs, LastWidth, 1)));
        classifier = Child("classifier.0", new Linear(LastWidth, classes));
        InitialWeights.HeConvolutions(this);
        InitialWeights.SmallClassifier(classifier);
    }

    public override Linear Head => classifier;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = conv1.Forward(images);
        tap.Stage(x);
        for (var g = 0; g < blocks.Length; g++)
        {
            foreach (var block in blocks[g]) x = tap.Step(x, block.Forward(x));
            if (stageEnds.Contains(g)) tap.Stage(x);
        }
        return classifier.Forward(tap.Pooled(Functional.GlobalAvgPool(conv2.Forward(x))));
    }
}

/// <summary>Widens by a 1x1 convolution, filters each channel, narrows linearly; adds the input where the shape stays.</summary>
sealed class InvertedResidual : Layer
{
    readonly ConvNormRelu conv;
    readonly bool adds;

    public InvertedResidual(long inputs, long outputs, long stride, long expansion)
    {
        var width = inputs * expansion;
        adds = stride == 1 && inputs == outputs;
        conv = Child("conv", new ConvNormRelu(
            new Conv2d(inputs, width, 1),
            new Conv2d(width, width, 3, stride, padding: 1, groups: width),
            new Conv2d(width, outputs, 1)));
    }

    public override Tensor Forward(Tensor x)
    {
        if (!adds) return conv.ForwardLinear(x);
        using var scope = TensorScope.Open();
        return scope.Keep(x + conv.ForwardLinear(x));
    }
}
