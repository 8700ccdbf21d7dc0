using DistillSharp.Torch.Distributed;

namespace DistillSharp.Torch.Layers;

/// <summary>Batch normalization of [N, C, H, W] over N, H, W (Ioffe and Szegedy 2015), epsilon 1e-5, momentum 0.1 unless given.</summary>
public sealed class BatchNorm2d : Layer
{
    readonly Tensor batches;

    /// <param name="channels">Channels in and out.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="momentum">The weight of the batch in the running statistics.</param>
    public BatchNorm2d(long channels, double epsilon = 1e-5, double momentum = 0.1)
    {
        (Channels, Epsilon, Momentum) = (channels, epsilon, momentum);
        Weight = Parameter("weight", Tensor.Ones([channels]));
        Bias = Parameter("bias", Tensor.Zeros([channels]));
        RunningMean = Buffer("running_mean", Tensor.Zeros([channels]));
        RunningVar = Buffer("running_var", Tensor.Ones([channels]));
        batches = Buffer("num_batches_tracked", Tensor.Scalar(0, DType.Int64));
    }

    /// <summary>Channels in and out.</summary>
    public long Channels { get; }

    /// <summary>Added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>The weight of the batch in the running statistics.</summary>
    public double Momentum { get; }

    /// <summary>The scale, [C].</summary>
    public Tensor Weight { get; }

    /// <summary>The shift, [C].</summary>
    public Tensor Bias { get; }

    /// <summary>[C].</summary>
    public Tensor RunningMean { get; }

    /// <summary>[C], unbiased.</summary>
    public Tensor RunningVar { get; }

    /// <summary>
    /// In training, the processes whose batches are normalized together: each then takes the mean and the variance of all their rows,
    /// as one process with the whole batch would. Null for this process's own.
    /// </summary>
    public ProcessGroup? SharedBy { get; set; }

    /// <summary>Whether the convolution before does this norm's work in evaluation mode (<see cref="NormFolding"/>).</summary>
    internal bool Folded { get; set; }

    // A recording is of the network as it is, whatever stands in for its parts meanwhile.
    bool StoodInFor => Folded && !OperatorTrace.IsRecording;

    public override Tensor Forward(Tensor x) => UsesBatch(x) ? ForwardTraining(x, null, relu: false) : ForwardEvaluation(x);

    /// <summary>relu(norm(x) + residual), the residual being optional.</summary>
    public Tensor ForwardRelu(Tensor x, Tensor? residual = null)
    {
        if (UsesBatch(x)) return ForwardTraining(x, residual, relu: true);
        var y = ForwardEvaluation(x);
        // The norm's output is nobody else's, nor is what a folded norm hands on: what follows is written over it, which saves
        // a pass over memory each. A recording must see every value.
        if (OperatorTrace.IsRecording)
        {
            using var scope = TensorScope.Open();
            return scope.Keep(Functional.Relu(residual is null ? y : y + residual));
        }
        if (residual is not null) y.AddInPlace(residual);
        return Functional.ReluInPlace(y);
    }

    /// <summary>
    /// relu(norm(conv(x)) + residual), the residual being optional. In evaluation, with this norm folded into the convolution,
    /// the whole is one operator.
    /// </summary>
    public Tensor ForwardRelu(Conv2d conv, Tensor x, Tensor? residual = null)
    {
        if (!Training && StoodInFor && conv.Folded is { } folded) return folded.Forward(x, residual, relu: true);
        using var scope = TensorScope.Open();
        return scope.Keep(ForwardRelu(conv.Forward(x), residual));
    }

    // A single value of each channel has no variance: the running statistics stand in for the batch's, and stay as they are.
    bool UsesBatch(Tensor x) => Training && (SharedBy is not null || x.Count > Channels);

    Tensor ForwardTraining(Tensor x, Tensor? residual, bool relu)
    {
        batches.AddInPlace(1L);
        return SharedBy is { } group ? group.BatchNormRelu(x, this, residual, relu)
            : Functional.BatchNormRelu(x, Weight, Bias, RunningMean, RunningVar, residual, relu, Momentum, Epsilon);
    }

    Tensor ForwardEvaluation(Tensor x) =>
        StoodInFor ? x : Functional.BatchNorm(x, Weight, Bias, RunningMean, RunningVar, false, Momentum, Epsilon);
}
