namespace DistillSharp.Models;

/// <summary>
/// The wide residual networks for CIFAR of Zagoruyko and Komodakis, BMVC 2016: wrn_D_K has D = 6n + 4 layers in three stages
/// of pre-activated blocks, K times as wide as a resnet's.
/// <para>
/// As in the public distillation benchmarks the stages are the raw sums that the blocks pass on, and their pre-activations are
/// what the next batch norm makes of them. Here that norm runs once a step, for both uses.
/// </para>
/// </summary>
public sealed class WideResNet : Classifier
{
    const int Stages = 3;

    readonly Conv2d conv1;
    readonly PreActivatedBlock[][] stages = new PreActivatedBlock[Stages][];
    readonly BatchNorm2d bn1;
    readonly Linear fc;

    internal static void Register(Registry<NetworkFactory> networks)
    {
        foreach (var (depth, width) in new[] { (16, 1), (16, 2), (40, 1), (40, 2) })
            networks.Add($"wrn_{depth}_{width}", (name, classes) => new WideResNet(name, classes, depth, width));
    }

    WideResNet(string name, int classes, int depth, int width) : base(name, classes, new InputRule(32))
    {
        var blocks = (depth - 4) / (2 * Stages);
        long inputs = 16;
        conv1 = Child("conv1", new Conv2d(3, inputs, 3, padding: 1));
        for (var s = 0; s < Stages; s++)
        {
            var outputs = (16L << s) * width;
            stages[s] = [.. Enumerable.Range(0, blocks).Select(i => Child($"block{s + 1}.layer.{i}",
                new PreActivatedBlock(i == 0 ? inputs : outputs, outputs, stride: s > 0 && i == 0 ? 2 : 1)))];
            inputs = outputs;
        }
        bn1 = Child("bn1", new BatchNorm2d(inputs));
        fc = Child("fc", new Linear(inputs, classes));
        InitialWeights.HeConvolutions(this);
        using var off = Autograd.NoGrad();
        fc.Bias!.Fill(0);
    }

    public override Linear Head => fc;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = conv1.Forward(images);
        // No norm stands behind the stem.
        tap.Stage(x, x);
        foreach (var stage in stages)
            foreach (var block in stage)
            {
                // The stem was shown already; each later stage's output is shown where the next stage's first norm meets it.
                var shownTo = stage != stages[0] && block == stage[0] ? tap : null;
                x = tap.Step(x, block.Forward(x, shownTo));
            }
        var (activated, preActivation) = bn1.Activate(x, residual: null, tap.WantsPreActivations);
        tap.Stage(x, preActivation, bn1);
        return fc.Forward(tap.Pooled(Functional.GlobalAvgPool(activated)));
    }
}

/// <summary>x' + conv(relu(bn(conv(a)))) with a = relu(bn(x)); x' is x, or a projection of a where the width changes.</summary>
sealed class PreActivatedBlock : Module
{
    readonly BatchNorm2d bn1, bn2;
    readonly Conv2d conv1, conv2;
    readonly Conv2d? shortcut;

    public PreActivatedBlock(long inputs, long outputs, long stride)
    {
        bn1 = Child("bn1", new BatchNorm2d(inputs));
        conv1 = Child("conv1", new Conv2d(inputs, outputs, 3, stride, padding: 1));
        bn2 = Child("bn2", new BatchNorm2d(outputs));
        conv2 = Child("conv2", new Conv2d(outputs, outputs, 3, padding: 1));
        if (inputs != outputs) shortcut = Child("convShortcut", new Conv2d(inputs, outputs, 1, stride));
    }

    /// <param name="x">The sum that the block before passed on.</param>
    /// <param name="shownTo">Where x is to be shown as a stage, its norm as the pre-activation.</param>
    public Tensor Forward(Tensor x, FeatureTap? shownTo)
    {
        using var scope = TensorScope.Open();
        var (activated, preActivation) = bn1.Activate(x, residual: null, shownTo is { WantsPreActivations: true });
        shownTo?.Stage(x, scope.KeepIfAny(preActivation), bn1);
        var inner = conv2.Forward(bn2.ForwardRelu(conv1, activated));
        return scope.Keep(inner + (shortcut?.Forward(activated) ?? x));
    }
}
