using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Registry;

/// <summary>A run with its results: what a list shows, a table averages and an export holds.</summary>
/// <param name="Manifest">The run's manifest.</param>
/// <param name="State">Its state as it is now.</param>
/// <param name="Path">Its folder.</param>
/// <param name="Settings">Its recipe, flattened.</param>
/// <param name="EpochsDone">How many epochs have metrics.</param>
/// <param name="FinalAcc1">Accuracy in percent at the last evaluated epoch.</param>
/// <param name="FinalAcc5">Accuracy within five guesses, in percent, at the same epoch.</param>
/// <param name="BestAcc1">The highest accuracy of any epoch.</param>
/// <param name="BestEpoch">The first epoch that reached it.</param>
/// <param name="ImagesPerSecond">Training images per second, the mean over the epochs.</param>
/// <param name="Seconds">The sum of the epochs' times.</param>
public sealed record RunSummary(
    RunManifest Manifest, RunState State, string Path, IReadOnlyDictionary<string, string> Settings, int EpochsDone,
    double? FinalAcc1, double? FinalAcc5, double? BestAcc1, int? BestEpoch, double? ImagesPerSecond, double Seconds)
{
    /// <summary>The run's name.</summary>
    public string Name => Manifest.Name;

    /// <summary>The summary of a run folder, without the registry.</summary>
    /// <exception cref="UserException">The run's recipe is no YAML.</exception>
    public static RunSummary Of(RunReader run)
    {
        var evaluated = run.Metrics.Where(m => m.Acc1 is not null).ToList();
        var best = evaluated.Count == 0 ? null : evaluated.MaxBy(m => m.Acc1);
        var speeds = run.Metrics.Select(m => m.ImagesPerSecond).Where(double.IsFinite).ToList();
        return new RunSummary(run.Manifest, run.State, run.Path, run.Settings(), run.Metrics.Count,
            evaluated.LastOrDefault()?.Acc1, evaluated.LastOrDefault()?.Acc5, best?.Acc1, best?.Epoch,
            speeds.Count == 0 ? null : speeds.Average(), run.Metrics.Select(m => m.Seconds).Where(double.IsFinite).Sum());
    }
}

/// <summary>Which runs to list; what is null does not restrict.</summary>
public sealed record RunFilter
{
    /// <summary>Every run.</summary>
    public static RunFilter All { get; } = new();

    /// <summary>The data set.</summary>
    public string? Dataset { get; init; }

    /// <summary>The teacher's network.</summary>
    public string? Teacher { get; init; }

    /// <summary>The student's network.</summary>
    public string? Student { get; init; }

    /// <summary>The method as in <see cref="RunManifest.MethodLabel"/>: <c>ce</c>, <c>fsecd</c>, <c>kd+crd</c>.</summary>
    public string? Method { get; init; }

    /// <summary>The seed.</summary>
    public long? Seed { get; init; }

    /// <summary>The state as it is now.</summary>
    public RunState? State { get; init; }

    /// <summary>The recipe's digest, or its beginning.</summary>
    public string? Digest { get; init; }

    /// <summary>A part of the name.</summary>
    public string? NameContains { get; init; }

    /// <summary>Settings of the recipe by path, each of which must have this value.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings as a user writes them, each as <c>path=value</c>.</summary>
    /// <exception cref="UsageException">One has no path.</exception>
    public static IReadOnlyDictionary<string, string> SettingsOf(IEnumerable<string> assignments)
    {
        var settings = new Dictionary<string, string>();
        foreach (var given in assignments)
            if (given.IndexOf('=') is > 0 and var at) settings[given[..at]] = given[(at + 1)..];
            else throw new UsageException($"'{given}' is no setting; write path=value, for example train.lr=0.05");
        return settings;
    }
}
