namespace DistillSharp.Experiments.Plots;

/// <summary>Which number of an epoch a curve shows.</summary>
public enum CurveMetric
{
    /// <summary>Test Acc1 in percent.</summary>
    Acc1,

    /// <summary>Test Acc5 in percent.</summary>
    Acc5,

    /// <summary>Training loss.</summary>
    Loss,

    /// <summary>Learning rate.</summary>
    Lr,

    /// <summary>Training images per second.</summary>
    ImagesPerSecond,
}

/// <summary>Training curves of several runs over the epochs.</summary>
public static class TrainingCurves
{
    /// <summary>The chart of a metric over runs, a curve each.</summary>
    /// <param name="runs">Names and epochs.</param>
    /// <param name="metric">What to show.</param>
    /// <param name="title">The title above; none when empty.</param>
    public static LineChart Of(
        IEnumerable<(string Name, IReadOnlyList<EpochMetrics> Epochs)> runs, CurveMetric metric, string title = "") => new()
        {
            Title = title,
            XLabel = "epoch",
            YLabel = metric switch
            {
                CurveMetric.Acc1 => "test Acc1 (%)",
                CurveMetric.Acc5 => "test Acc5 (%)",
                CurveMetric.Loss => "training loss",
                CurveMetric.Lr => "learning rate",
                _ => "training images per second",
            },
            Series = [.. runs.Select(r => Curve(r.Name, r.Epochs, metric))],
        };

    // Epochs without the value are left out: a line between evaluations, not a gap at each epoch between them.
    static LineSeries Curve(string name, IReadOnlyList<EpochMetrics> epochs, CurveMetric metric)
    {
        var points = epochs.Select(m => (X: (double)m.Epoch, Y: metric switch
        {
            CurveMetric.Acc1 => m.Acc1,
            CurveMetric.Acc5 => m.Acc5,
            CurveMetric.Loss => m.Loss,
            CurveMetric.Lr => m.Lr,
            _ => m.ImagesPerSecond,
        })).Where(p => p.Y is not null).ToList();
        return new LineSeries(name, [.. points.Select(p => p.X)], [.. points.Select(p => p.Y!.Value)]);
    }
}
