namespace DistillSharp.Training;

/// <summary>A term of the loss became NaN or infinite. The last checkpoint is from before.</summary>
/// <param name="term">The term's name.</param>
/// <param name="value">NaN or an infinity.</param>
/// <param name="epoch">The epoch, from 1.</param>
/// <param name="step">The step since the run's start, from 1.</param>
public sealed class TrainingDivergedException(string term, double value, int epoch, long step) : UserException(
    $"the loss term '{term}' became {value} at step {step} (epoch {epoch}); training stopped before that step changed the student. " +
    "A lower learning rate, a warm-up or a lower weight of this term usually helps")
{
    /// <summary>The term's name.</summary>
    public string Term { get; } = term;

    /// <summary>The step since the run's start, from 1.</summary>
    public long Step { get; } = step;
}
