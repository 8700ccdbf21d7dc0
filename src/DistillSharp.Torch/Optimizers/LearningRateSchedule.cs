namespace DistillSharp.Torch.Optimizers;

/// <summary>Where training stands: what a learning rate may depend on.</summary>
/// <param name="Step">Optimizer steps done so far, over all epochs.</param>
/// <param name="StepsPerEpoch">Steps of one epoch.</param>
/// <param name="Epochs">Epochs of the whole run.</param>
public readonly record struct TrainingPosition(long Step, long StepsPerEpoch, int Epochs)
{
    /// <summary>Epochs done: 0 throughout the first one.</summary>
    public long Epoch => StepsPerEpoch == 0 ? 0 : Step / StepsPerEpoch;

    /// <summary>Steps of the whole run.</summary>
    public long TotalSteps => StepsPerEpoch * Epochs;
}

/// <summary>
/// The learning rate as a pure function of the position, so that resuming cannot change it. A warm-up rises linearly to the
/// base rate over its steps, after which the schedule goes on as if there had been none.
/// </summary>
public abstract record LearningRateSchedule
{
    /// <summary>The rate of the first step after any warm-up.</summary>
    public required double BaseRate { get; init; }

    /// <summary>Steps over which the rate rises linearly to the base rate.</summary>
    public long WarmupSteps { get; init; }

    /// <summary>The rate of the step that comes next.</summary>
    public double At(TrainingPosition position) =>
        position.Step < WarmupSteps ? BaseRate * (position.Step + 1) / (WarmupSteps + 1) : BaseRate * Factor(position);

    /// <summary>The part of the base rate that is used after the warm-up.</summary>
    protected abstract double Factor(TrainingPosition position);

    /// <summary>How far the run is after its warm-up, from 0 to 1.</summary>
    protected double Progress(TrainingPosition position) =>
        Math.Clamp((position.Step - WarmupSteps) / (double)Math.Max(1, position.TotalSteps - WarmupSteps), 0, 1);
}

/// <summary>The rate is multiplied by a factor after each of some epochs: after epoch 150 means from epoch 151 on.</summary>
public sealed record MultiStepSchedule : LearningRateSchedule
{
    /// <summary>Epochs after which the rate falls.</summary>
    public required IReadOnlyList<int> Milestones { get; init; }

    /// <summary>What the rate is multiplied by at each.</summary>
    public required double Gamma { get; init; }

    protected override double Factor(TrainingPosition position) =>
        Math.Pow(Gamma, Milestones.Count(milestone => position.Epoch >= milestone));
}

/// <summary>Half a cosine from the base rate to 0 at the end of the run (Loshchilov and Hutter 2017, without restarts).</summary>
public sealed record CosineSchedule : LearningRateSchedule
{
    protected override double Factor(TrainingPosition position) => 0.5 * (1 + Math.Cos(Math.PI * Progress(position)));
}

/// <summary>A straight line from the base rate to 0 at the end of the run.</summary>
public sealed record LinearSchedule : LearningRateSchedule
{
    protected override double Factor(TrainingPosition position) => 1 - Progress(position);
}

/// <summary>The base rate throughout.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    protected override double Factor(TrainingPosition position) => 1;
}
