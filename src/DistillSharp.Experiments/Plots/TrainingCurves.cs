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
            Title = title, XLabel = "epoch", YLabel = Shown(metric).Label,
            Series = [.. runs.Select(run => Curve(run.Name, run.Epochs, Shown(metric).Value))],
        };

    static (string Label, Func<EpochMetrics, double?> Value) Shown(CurveMetric metric) => metric switch
    {
        CurveMetric.Acc1 => ("test Acc1 (%)", epoch => epoch.Acc1),
        CurveMetric.Acc5 => ("test Acc5 (%)", epoch => epoch.Acc5),
        CurveMetric.Loss => ("training loss", epoch => epoch.Loss),
        CurveMetric.Lr => ("learning rate", epoch => epoch.Lr),
        _ => ("training images per second", epoch => epoch.ImagesPerSecond),
    };

    // Epochs without the value are left out: a line between evaluations, not a gap at each epoch between them.
    static LineSeries Curve(string name, IReadOnlyList<EpochMetrics> epochs, Func<EpochMetrics, double?> value)
    {
        var shown = epochs.Where(epoch => value(epoch) is not null).ToList();
        return new(name, [.. shown.Select(epoch => (double)epoch.Epoch)], [.. shown.Select(epoch => value(epoch)!.Value)]);
    }
}
