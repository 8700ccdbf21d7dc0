using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Experiments.Execution;

/// <summary>
/// The recipe that a run goes on with. More epochs may be asked for at any time, what changes no result, and what is done about damaged
/// images, on which a run may have stopped; what else of the training differs from the run's own recipe must be adopted on purpose, and
/// what the run is about never changes.
/// </summary>
/// <param name="Recipe">What is trained on. A schedule that the given recipe leaves unsaid stays the run's.</param>
/// <param name="Adopted">What the run changes in, a few words each; empty where it goes on as it was.</param>
sealed record ResumedRecipe(Recipe Recipe, IReadOnlyList<string> Adopted)
{
    const string Schedule = "train.schedule", Epochs = "train.epochs", Damaged = "data.damaged";

    // The training may change on the way; the batch decides how far an epoch is, and the seed what comes next.
    static readonly string[] adoptable = ["train.", "ce.", "methods[", "data.augment", Damaged];
    static readonly string[] fixedInTraining = ["train.seed", "train.accumulate", "train.optimizer", "train.ema"];

    /// <summary>Puts the given recipe in place of the one that a run was made or last gone on with.</summary>
    /// <exception cref="UsageException">They differ in what cannot change or must be adopted on purpose; it names the keys.</exception>
    public static ResumedRecipe Of(string run, Recipe own, Recipe given, bool adopt)
    {
        var before = own.DecisiveSettings;
        if (!given.SaysSchedule)
            given = given.With(before.Where(setting => Is(setting.Key, Schedule)).Select(setting => $"{setting.Key}={setting.Value}"));
        var after = given.DecisiveSettings;
        string[] different =
        [
            .. before.Keys.Union(after.Keys).Order(StringComparer.Ordinal)
                .Where(path => before.GetValueOrDefault(path, "") != after.GetValueOrDefault(path, "")),
        ];
        if (different.Where(path => !MayChange(path)).ToList() is { Count: > 0 } others)
            throw new UsageException($"{Made(others)}; a run cannot change in that: begin a new one under another --name, or go on with "
                + $"its own recipe by giving {run}");
        var changed = given.Train.Epochs > own.Train.Epochs ? different.Except([Epochs]).ToList() : [.. different];
        if (changed.Except([Damaged]).ToList() is { Count: > 0 } asked && !adopt)
            throw new UsageException($"{Made(asked)}; to change it on the way give --resume --adopt");
        return new(given, [.. changed.Select(path => $"{path} {Shown(before, path)} → {Shown(after, path)}")]);

        string Made(List<string> paths) => $"{run} was made from another recipe: "
            + string.Join(", ", paths.Select(path => $"{path} is {Shown(after, path)} instead of {Shown(before, path)}"));
    }

    static bool MayChange(string path) =>
        adoptable.Any(start => path.StartsWith(start, StringComparison.Ordinal)) && !fixedInTraining.Any(one => Is(path, one))
        && !(path.StartsWith("methods[", StringComparison.Ordinal) && path.EndsWith("].name", StringComparison.Ordinal));

    static bool Is(string path, string key) => path == key || path.StartsWith(key + ".", StringComparison.Ordinal);

    static string Shown(IReadOnlyDictionary<string, string> settings, string path) =>
        settings.GetValueOrDefault(path, "") is { Length: > 0 } value ? value : "none";
}
