namespace DistillSharp.Training;

/// <summary>A term of the loss, or the state that a step left behind, became NaN or infinite. Every checkpoint is from before.</summary>
public sealed class TrainingDivergedException : UserException
{
    const string Advice = "A lower learning rate, a warm-up or a lower weight of this term usually helps";

    /// <summary>For a term of the loss. Its gradients were not computed: weights and velocities are those of the step before.</summary>
    /// <param name="term">The term's name.</param>
    /// <param name="value">NaN or an infinity.</param>
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="step">The step since the run's start, from 1.</param>
    public TrainingDivergedException(string term, double value, int epoch, long step)
        : base($"the loss term '{term}' became {value} at step {step} (epoch {epoch}); training stopped "
            + $"before that step changed the weights. {Advice}") =>
        (Term, Step) = (term, step);

    /// <summary>For weights or statistics that a step of finite loss ruined: its gradient overflowed.</summary>
    /// <param name="tensor">The name in the student's or the methods' state.</param>
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="step">The last step that was done, from 1.</param>
    public TrainingDivergedException(string tensor, int epoch, long step)
        : base($"{tensor} holds NaN or infinite values after step {step} (epoch {epoch}); training stopped, "
            + $"and no checkpoint has them. {Advice.Replace("this term", "a term")}") =>
        (Term, Step) = (tensor, step);

    /// <summary>The name of the term or tensor.</summary>
    public string Term { get; }

    /// <summary>The step since the run's start, from 1.</summary>
    public long Step { get; }
}
