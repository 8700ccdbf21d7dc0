namespace DistillSharp.Models;

/// <summary>A block that ends with a ReLU and can show what it was before that.</summary>
abstract class StageBlock : Module
{
    /// <summary>The batch norm whose output is (a part of the sum) before the last ReLU; null where none covers all channels.</summary>
    public abstract BatchNorm2d? LastNorm { get; }

    /// <summary>Computes the block's output and, where it is wanted and there is such a thing, what it was before the last ReLU.</summary>
    public abstract (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation);

    /// <summary>A convolution as <c>convN</c> and a batch norm behind it as <c>bnN</c>.</summary>
    protected NormedConvolution Normed(int number, Conv2d convolution) =>
        new(Child($"conv{number}", convolution), Child($"bn{number}", new BatchNorm2d(convolution.Outputs)));
}

/// <summary>A convolution and the batch norm behind it.</summary>
readonly record struct NormedConvolution(Conv2d Convolution, BatchNorm2d Norm)
{
    /// <summary>norm(conv(x)).</summary>
    public Tensor Forward(Tensor x) => Norm.Forward(Convolution.Forward(x));

    /// <summary>relu(norm(conv(x))).</summary>
    public Tensor ForwardRelu(Tensor x) => Norm.ForwardRelu(Convolution, x);
}

/// <summary>Blocks one after the other, named 0, 1, 2, ...; the outputs of some of them are stages.</summary>
sealed class Blocks : Module
{
    readonly StageBlock[] blocks;
    readonly int[] ends;

    /// <param name="blocks">In the order in which they run.</param>
    /// <param name="ends">Which blocks end a stage, in rising order; the last one where none is named.</param>
    public Blocks(IEnumerable<StageBlock> blocks, params int[] ends)
    {
        this.blocks = [.. blocks];
        this.ends = ends is [] ? [this.blocks.Length - 1] : ends;
        for (var i = 0; i < this.blocks.Length; i++) Child(i.ToString(), this.blocks[i]);
    }

    /// <summary>Runs the blocks and shows the stages to the tap. Each block's input is freed when the block is done with it.</summary>
    public Tensor Forward(Tensor x, FeatureTap tap)
    {
        for (var i = 0; i < blocks.Length; i++)
        {
            var end = Array.IndexOf(ends, i) >= 0;
            var (next, preActivation) = blocks[i].Forward(x, end && tap.WantsPreActivations);
            x = tap.Step(x, next);
            if (end) tap.Stage(x, preActivation, blocks[i].LastNorm);
        }
        return x;
    }
}

/// <summary>Convolutions with a batch norm and a ReLU behind each, named as in a PyTorch Sequential of triples: 0, 1, 3, 4, ...</summary>
sealed class ConvNormRelu : StageBlock
{
    readonly NormedConvolution[] steps;

    public ConvNormRelu(params Conv2d[] convolutions) =>
        steps = [.. convolutions.Select((convolution, i) =>
            new NormedConvolution(Child($"{3 * i}", convolution), Child($"{3 * i + 1}", new BatchNorm2d(convolution.Outputs))))];

    public override BatchNorm2d LastNorm => steps[^1].Norm;

    public override (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var (activated, preActivation) = LastNorm.Activate(steps[^1].Convolution, BeforeLast(x), residual: null, wantsPreActivation);
        return (scope.Keep(activated), scope.KeepIfAny(preActivation));
    }

    /// <summary>Activated by the last ReLU.</summary>
    public Tensor Forward(Tensor x) => Forward(x, wantsPreActivation: false).Activated;

    /// <summary>Without the last ReLU, which then is no part of the network.</summary>
    public Tensor ForwardLinear(Tensor x)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(steps[^1].Forward(BeforeLast(x)));
    }

    Tensor BeforeLast(Tensor x) => steps[..^1].Aggregate(x, (y, step) => step.ForwardRelu(y));
}

static class NormActivation
{
    /// <summary>relu(norm(conv(x)) + residual), and where wanted the same before the ReLU: only then is that a step of its own.</summary>
    public static (Tensor Activated, Tensor? PreActivation) Activate(
        this BatchNorm2d norm, Conv2d conv, Tensor x, Tensor? residual, bool wantsPreActivation) =>
        wantsPreActivation ? norm.Activate(conv.Forward(x), residual, wantsPreActivation) : (norm.ForwardRelu(conv, x, residual), null);

    /// <summary>relu(norm(x) + residual), and the same before the ReLU where it is wanted.</summary>
    public static (Tensor Activated, Tensor? PreActivation) Activate(
        this BatchNorm2d norm, Tensor x, Tensor? residual, bool wantsPreActivation)
    {
        if (!wantsPreActivation) return (norm.ForwardRelu(x, residual), null);
        var sum = norm.Forward(x);
        if (residual is not null) sum += residual;
        return (Functional.Relu(sum), sum);
    }
}
