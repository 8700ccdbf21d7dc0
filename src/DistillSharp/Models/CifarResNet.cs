using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Models;

/// <summary>
/// The residual networks for CIFAR of He et al. 2016 (section 4.2), in the form of the public distillation benchmarks: three
/// stages of basic blocks, 1x1 convolutions where the shape changes. resnetD has D = 6n + 2 layers; the x4 forms are four times
/// as wide and have a stem of 32 channels.
/// </summary>
public sealed class CifarResNet : Classifier
{
    readonly Conv2d conv1;
    readonly BatchNorm2d bn1;
    readonly ResidualStage[] stages;
    readonly Linear fc;

    internal static void Register(NetworkRegistry networks)
    {
        foreach (var depth in new[] { 8, 14, 20, 32, 44, 56, 110 })
            networks.Add($"resnet{depth}", (name, classes) => new CifarResNet(name, classes, depth, [16, 16, 32, 64]));
        foreach (var depth in new[] { 8, 32 })
            networks.Add($"resnet{depth}x4", (name, classes) => new CifarResNet(name, classes, depth, [32, 64, 128, 256]));
    }

    CifarResNet(string name, int classes, int depth, long[] widths) : base(name, classes, new InputRule(32))
    {
        var blocks = (depth - 2) / 6;
        conv1 = Child("conv1", new Conv2d(3, widths[0], 3, padding: 1));
        bn1 = Child("bn1", new BatchNorm2d(widths[0]));
        stages =
        [
            Child("layer1", new ResidualStage(blocks, widths[0], widths[1], stride: 1)),
            Child("layer2", new ResidualStage(blocks, widths[1], widths[2], stride: 2)),
            Child("layer3", new ResidualStage(blocks, widths[2], widths[3], stride: 2)),
        ];
        fc = Child("fc", new Linear(widths[3], classes));
        foreach (var (_, module) in NamedModules())
            if (module is Conv2d conv) Initialise.KaimingNormalFanOut(conv.Weight);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<BatchNorm2d?> StageNorms => [bn1, .. stages.Select(stage => stage.LastNorm)];

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = bn1.ForwardRelu(conv1.Forward(images));
        tap.Stage(x, x);
        foreach (var stage in stages) x = stage.Forward(x, tap);
        var pooled = Functional.GlobalAvgPool(x);
        tap.Pooled(pooled);
        return fc.Forward(pooled);
    }
}

/// <summary>Basic blocks of one width; the first may change size and width.</summary>
sealed class ResidualStage : Module
{
    readonly BasicBlock[] blocks;

    public ResidualStage(int count, long inputs, long outputs, long stride)
    {
        blocks = new BasicBlock[count];
        for (var i = 0; i < count; i++)
            blocks[i] = Child(i.ToString(), new BasicBlock(i == 0 ? inputs : outputs, outputs, i == 0 ? stride : 1));
    }

    public BatchNorm2d LastNorm => blocks[^1].LastNorm;

    public Tensor Forward(Tensor x, FeatureTap tap)
    {
        var input = x;
        foreach (var block in blocks)
        {
            var last = block == blocks[^1];
            var (next, preActivation) = block.Forward(x, last && tap.WantsPreActivations);
            if (x != input) x.Dispose();
            x = next;
            if (last) tap.Stage(x, preActivation);
        }
        return x;
    }
}

/// <summary>relu(x' + bn(conv(relu(bn(conv(x)))))), x' being x or its projection.</summary>
sealed class BasicBlock : Module
{
    readonly Conv2d conv1, conv2;
    readonly BatchNorm2d bn1, bn2;
    readonly Sequential? downsample;

    public BasicBlock(long inputs, long outputs, long stride)
    {
        conv1 = Child("conv1", new Conv2d(inputs, outputs, 3, stride, padding: 1));
        bn1 = Child("bn1", new BatchNorm2d(outputs));
        conv2 = Child("conv2", new Conv2d(outputs, outputs, 3, padding: 1));
        bn2 = Child("bn2", new BatchNorm2d(outputs));
        if (stride != 1 || inputs != outputs)
            downsample = Child("downsample", new Sequential(new Conv2d(inputs, outputs, 1, stride), new BatchNorm2d(outputs)));
    }

    public BatchNorm2d LastNorm => bn2;

    public (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var residual = downsample?.Forward(x) ?? x;
        var inner = conv2.Forward(bn1.ForwardRelu(conv1.Forward(x)));
        if (!wantsPreActivation) return (scope.Keep(bn2.ForwardRelu(inner, residual)), null);
        var sum = bn2.Forward(inner) + residual;
        return (scope.Keep(Functional.Relu(sum)), scope.Keep(sum));
    }
}
