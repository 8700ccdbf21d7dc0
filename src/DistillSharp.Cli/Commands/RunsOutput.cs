using DistillSharp.Experiments.Registry;

namespace DistillSharp.Cli.Commands;

enum RunsFormat { Json, Csv }

/// <summary>What the commands about runs have in common.</summary>
static class RunsOutput
{
    public static RunsFormat? Format(ParseResult given, Option<bool> json, Option<bool> csv) =>
        (given.GetValue(json), given.GetValue(csv)) switch
        {
            (true, true) => throw new UsageException("--json and --csv contradict each other; take one of them"),
            (true, _) => RunsFormat.Json,
            (_, true) => RunsFormat.Csv,
            _ => null,
        };

    /// <summary>Opens what is there; asking about a run makes no folder.</summary>
    public static RunRegistry Open(ParseResult given, Option<string> runs)
    {
        var root = given.GetValue(runs)!;
        return Directory.Exists(root) ? RunRegistry.Open(root) : throw new UserException(None(root));
    }

    /// <summary>What is said where no run was found.</summary>
    public static string None(string root) =>
        Directory.Exists(root) ? $"no such run in {root}" : $"there is no folder of runs '{root}'; --runs names another";

    public static FittingTable Table(IEnumerable<RunSummary> runs)
    {
        var table = new FittingTable(
            new("run"), new("state"), new("data", Drop: 4), new("epochs", IsNumber: true, Drop: 6), new("Acc1 %", IsNumber: true),
            new("Acc5 %", IsNumber: true, Drop: 2), new("best %", IsNumber: true, Drop: 3), new("images/s", IsNumber: true, Drop: 5),
            new("time", IsNumber: true, Drop: 7), new("begun", Drop: 1))
        { ForAll = "'distill runs list --csv' has all" };
        foreach (var run in runs)
            table.Add(run.Name, run.State.ToString().ToLowerInvariant(),
                run.Manifest.Dataset, $"{run.EpochsDone}/{run.Manifest.Epochs}", Figures.Percent(run.FinalAcc1),
                Figures.Percent(run.FinalAcc5), Figures.Percent(run.BestAcc1), Figures.Rate(run.ImagesPerSecond),
                TimeSpan.FromSeconds(run.Seconds).Shown(), run.Manifest.Created.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
        return table;
    }
}
