namespace DistillSharp.Experiments.Registry;

/// <summary>A setting in which compared runs differ.</summary>
/// <param name="Path">The setting's path in the recipe.</param>
/// <param name="Values">Its value in each run, in the runs' order; null where the recipe does not have it.</param>
public sealed record SettingDifference(string Path, IReadOnlyList<string?> Values);

/// <summary>Runs side by side.</summary>
public sealed class RunComparison(IReadOnlyList<RunSummary> runs)
{
    /// <summary>The runs, in the order asked for.</summary>
    public IReadOnlyList<RunSummary> Runs => runs;

    /// <summary>The settings that are not the same in all of them, by path.</summary>
    public IReadOnlyList<SettingDifference> Differences { get; } =
        [.. runs.SelectMany(r => r.Settings.Keys).Distinct().Order(StringComparer.Ordinal)
            .Select(path => new SettingDifference(path, [.. runs.Select(r => r.Settings.GetValueOrDefault(path))]))
            .Where(d => d.Values.Distinct().Skip(1).Any())];

    /// <summary>Whether they ran on the same machine: only then do their speeds compare.</summary>
    public bool SameMachine => runs.Select(r => r.Manifest.Machine).Distinct().Count() <= 1;

    /// <summary>Whether they ran with the same versions.</summary>
    public bool SameVersions => runs.Select(r => r.Manifest.Versions).Distinct().Count() <= 1;
}
