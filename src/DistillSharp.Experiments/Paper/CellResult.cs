using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Paper;

/// <summary>What our runs say in one cell of a table.</summary>
/// <param name="Acc1">Mean Acc1 in percent at the last epoch.</param>
/// <param name="Acc1Spread">The sample standard deviation over the seeds; null for a single run.</param>
/// <param name="Acc5">Mean Acc5 in percent; null where a run has none.</param>
/// <param name="Acc5Spread">Its sample standard deviation; null for a single run.</param>
/// <param name="Runs">The runs averaged: equal recipes, a seed each.</param>
/// <param name="Departures">In what they depart from the paper's protocol. Not empty means: no reproduction.</param>
/// <param name="OtherRuns">Finished runs of the same cell with other settings, which are not shown.</param>
public sealed record CellResult(
    double Acc1, double? Acc1Spread, double? Acc5, double? Acc5Spread, IReadOnlyList<string> Runs,
    IReadOnlyList<string> Departures, int OtherRuns)
{
    /// <summary>What the paper does not publish of these runs: FSECD's settings and the learning rate; null for other methods.</summary>
    public string? Settings { get; init; }

    /// <summary>Whether the runs follow the paper's protocol, as far as it is public.</summary>
    public bool IsReproduction => Departures.Count == 0;

    /// <summary>
    /// Gathers the finished runs that belong to a result of the paper. Only runs that differ in nothing but the seed are
    /// averaged; of several such groups the one nearest to the protocol is shown, then the longer one, then the one of more seeds.
    /// </summary>
    /// <returns>Null when no run belongs there.</returns>
    public static CellResult? Of(PaperResult paper, IEnumerable<RunSummary> runs)
    {
        var groups = runs.Where(r => r.State == RunState.Finished && r.FinalAcc1 is not null && BelongsTo(paper, r)).GroupBy(r => Recipe(r))
            .Select(g => (Runs: OnePerSeed(g), Departures: PaperProtocol.Departures(paper, g.First())))
            .OrderBy(g => g.Departures.Count > 0)
            .ThenBy(g => g.Runs[0].Manifest.Dataset != paper.Dataset)
            .ThenBy(g => g.Runs[0].Manifest.Batch != paper.BatchSize)
            .ThenByDescending(g => g.Runs[0].EpochsDone)
            .ThenByDescending(g => g.Runs[0].Manifest.TrainImages ?? 0)
            .ThenBy(g => g.Departures.Count)
            .ThenByDescending(g => g.Runs.Count)
            .ThenByDescending(g => g.Runs.Max(r => r.Manifest.Created))
            .ToList();
        if (groups.Count == 0) return null;
        var (shown, departures) = groups[0];
        var (acc1, spread1) = MeanAndSpread([.. shown.Select(r => r.FinalAcc1!.Value)]);
        (double Mean, double? Spread)? five =
            shown.All(r => r.FinalAcc5 is not null) ? MeanAndSpread([.. shown.Select(r => r.FinalAcc5!.Value)]) : null;
        var others = groups.Skip(1).Sum(g => g.Runs.Count);
        return new(acc1, spread1, five?.Mean, five?.Spread, [.. shown.Select(r => r.Name)], departures, others)
        { Settings = paper.Method == "fsecd" ? Unpublished(shown[0].Settings) : null };
    }

    static string? Unpublished(IReadOnlyDictionary<string, string> settings)
    {
        const string method = "methods[0].";
        var own = settings.Where(setting => setting.Key.StartsWith(method, StringComparison.Ordinal) && setting.Key != $"{method}name"
            && setting.Value.Length > 0).Select(setting => $"{setting.Key[method.Length..].Replace('_', ' ')} {setting.Value}");
        var rate = settings.TryGetValue("train.lr", out var lr) ? new[] { $"learning rate {lr}" } : [];
        return string.Join(", ", own.Concat(rate)) is { Length: > 0 } said ? said : null;
    }

    /// <summary>Whether a run is one of a result's: its student, method and policy, teacher, and in table 2 its batch size.</summary>
    public static bool BelongsTo(PaperResult paper, RunSummary run)
    {
        var record = run.Manifest;
        return record.Student == paper.Student && record.MethodLabel == paper.Method
            && (paper.Method == "ce" || record.Teacher == paper.Teacher)
            && (paper.Policy is null || record.Methods[0].Policy == paper.Policy) && (paper.Batch is null || record.Batch == paper.Batch);
    }

    // A seed run twice is one result, not two: training is deterministic.
    static List<RunSummary> OnePerSeed(IEnumerable<RunSummary> runs) =>
        [.. runs.GroupBy(r => r.Manifest.Seed).Select(g => g.MaxBy(r => r.Manifest.Created)!).OrderBy(r => r.Manifest.Seed)];

    // What changes no result, and what is averaged over or counts as it was used and not as it was asked for.
    static readonly HashSet<string> indifferent =
    [
        .. RecipePage.Sections.SelectMany(section => section.All).Where(key => !key.ChangesResults).Select(key => key.Path),
        "train.seed", "train.precision", "train.device",
    ];

    // Everything that decides the result apart from the seed.
    static string Recipe(RunSummary run)
    {
        var r = run.Manifest;
        return string.Join('\n', run.Settings.Where(s => !indifferent.Contains(s.Key)).Select(s => $"{s.Key}={s.Value}")
            .Append($"{r.Dataset} {r.TrainImages} {r.TestImages} {r.Epochs} {run.EpochsDone} {r.Batch} {r.Precision} {r.Device} "
                + $"{string.Join(';', r.TeacherDepartures ?? ["unknown"])}"));
    }

    static (double Mean, double? Spread) MeanAndSpread(double[] values)
    {
        var mean = values.Average();
        return (mean, values.Length < 2 ? null : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)));
    }
}
