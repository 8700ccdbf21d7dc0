namespace DistillSharp.Training;

/// <summary>One epoch's line in <c>metrics.jsonl</c>.</summary>
public sealed record EpochMetrics
{
    /// <summary>The epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Training steps since the run's start, at this epoch's end.</summary>
    public required long Step { get; init; }

    /// <summary>Test accuracy in percent; null where this epoch was not evaluated.</summary>
    public double? Acc1 { get; init; }

    /// <summary>Test accuracy within the five first guesses, in percent.</summary>
    public double? Acc5 { get; init; }

    /// <summary>Test accuracy of the weights' moving average in percent; null where none is kept or the epoch was not evaluated.</summary>
    public double? AverageAcc1 { get; init; }

    /// <summary>The mean of the total training loss over the epoch.</summary>
    public required double Loss { get; init; }

    /// <summary>The mean of each weighted loss term, by name.</summary>
    public IReadOnlyDictionary<string, double> Terms { get; init; } = new Dictionary<string, double>();

    /// <summary>The learning rate of the epoch's last step.</summary>
    public required double Lr { get; init; }

    /// <summary>Training images per second, evaluation not counted.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Seconds that the epoch took, evaluation counted.</summary>
    public required double Seconds { get; init; }

    /// <summary>
    /// Share of the epoch's images whose teacher output was remembered, 0..1; null where nothing is remembered. A resumed run
    /// begins with an empty memory and counts only its own images.
    /// </summary>
    public double? TeacherRemembered { get; init; }
}
