using DistillSharp.Evaluation;
using DistillSharp.Experiments.Measurement;

namespace DistillSharp.Experiments.Plots;

/// <summary>Pictures of what the networks of runs make of the test images.</summary>
/// <param name="measured">The runs.</param>
/// <param name="progress">Hears how far a map is drawn.</param>
public sealed class NetworkPlots(MeasuredRuns measured, IProgress<WorkProgress>? progress = null)
{
    /// <summary>t-SNE of the pooled features: each teacher once, then the students. A network that shows no features is left out.</summary>
    /// <param name="tsne">How the maps are drawn.</param>
    /// <param name="points">How many images at most, as many of each class.</param>
    /// <param name="said">Is told where the perplexity is lowered, since so few images allow no higher one.</param>
    /// <exception cref="UserException">A network could not be run.</exception>
    public Figure Tsne(Tsne tsne, int points, Action<string>? said = null)
    {
        const int fewest = 4;
        if (points < fewest) throw new UsageException($"a map of {points} points shows nothing; give {fewest} or more");
        CheckAll();
        var images = measured.Images!;
        var chosen = Data.BalancedSubset.Choose(images.Labels, images.ClassNames.Count, Math.Min(points, images.Count), tsne.Seed);
        if (chosen.Length < fewest) throw new UserException($"a map of {chosen.Length} images shows nothing; it needs {fewest} or more");
        var fitting = tsne.ForPoints(chosen.Length);
        if (fitting.Perplexity < tsne.Perplexity)
            said?.Invoke(FormattableString.Invariant(
                $"{chosen.Length} images: the perplexity is {fitting.Perplexity:0.##} instead of {tsne.Perplexity:0.##}"));
        var labels = Array.ConvertAll(chosen, i => images.Labels[i]);
        return new ScatterPlot
        {
            Panels = [.. Networks().Where(network => network.Outputs.Width > 0).Select(network =>
            {
                var map = fitting.Embed(network.Outputs.PooledOf(chosen), network.Outputs.Width, progress: progress);
                return new ScatterPanel(
                    network.Title, map.X, map.Y, labels) { Tooltips = [.. labels.Select(label => images.ClassNames[label])] };
            })],
            ClassNames = images.ClassNames,
        }.Draw();
    }

    /// <summary>Teacher's logit correlations less the student's, a panel for each run.</summary>
    /// <exception cref="UserException">A network could not be run, or a run has no teacher.</exception>
    public Figure Correlation()
    {
        CheckAll();
        if (measured.Runs.FirstOrDefault(run => run.Teacher is null) is { } alone)
            throw new UserException(
                $"{alone.Run.Manifest.Name} was trained without a teacher, so there is nothing to compare its logits with");
        var differences =
            measured.Runs.Select(run => (run.Run.Manifest.Name, Difference: CorrelationDifference.Of(run.Teacher!, run.Student!))).ToList();
        return new HeatMap
        {
            Panels = [.. differences.Select(one => new HeatMapPanel(
                FormattableString.Invariant($"{one.Name}: mean |difference| {one.Difference.MeanAbsolute:F4}"), one.Difference.Values))],
            Names = measured.Images!.ClassNames, ValueLabel = "teacher's correlation − student's",
        }.Draw();
    }

    /// <summary>The confusion matrix of the first run's student.</summary>
    /// <exception cref="UserException">The student could not be run.</exception>
    public Figure Confusion()
    {
        var run = measured.Runs[0];
        if (run.Student is null) throw Cannot(run);
        return new ConfusionMatrix
        {
            Title = run.Run.Manifest.Name, Counts = Evaluation.Confusion.Of(run.Student).Counts,
            ClassNames = measured.Images!.ClassNames
        }.Draw();
    }

    IEnumerable<(string Title, NetworkOutputs Outputs)> Networks()
    {
        foreach (var run in measured.Runs.Where(run => run.Teacher is not null).DistinctBy(run => run.Teacher))
            yield return ($"{run.Run.Manifest.Teacher} (teacher)", run.Teacher!);
        foreach (var run in measured.Runs) yield return (run.Run.Manifest.Name, run.Student!);
    }

    void CheckAll()
    {
        if (measured.Runs.FirstOrDefault(run => run.Missing is not null) is { } run) throw Cannot(run);
    }

    static UserException Cannot(MeasuredRun run) => new($"{run.Run.Manifest.Name} cannot be drawn: {run.Missing}");
}
