using System.CommandLine;
using System.Globalization;
using DistillSharp.Experiments.Registry;
using Spectre.Console;

namespace DistillSharp.Cli.Commands;

enum RunsFormat { Json, Csv }

/// <summary>What the commands about runs have in common.</summary>
static class RunsOutput
{
    public static Argument<string> Run() => new("RUN") { Description = "The run, by name or folder" };

    public static RunsFormat? Format(ParseResult given, Option<bool> json, Option<bool> csv) => (given.GetValue(json), given.GetValue(csv)) switch
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
        return Directory.Exists(root) ? RunRegistry.Open(root) : throw new UserException($"there is no folder of runs '{root}'; --runs names another");
    }

    public static Table Table(IEnumerable<RunSummary> runs)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("run").AddColumn("state").AddColumn("data");
        foreach (var name in new[] { "epochs", "Acc1 %", "Acc5 %", "best %", "images/s", "time" }) table.AddColumn(new TableColumn(name).RightAligned());
        table.AddColumn("begun");
        foreach (var run in runs)
            table.AddRow(
                Markup.Escape(run.Name), run.State.ToString().ToLowerInvariant(), Markup.Escape(run.Manifest.Dataset), $"{run.EpochsDone}/{run.Manifest.Epochs}",
                Number(run.FinalAcc1, "0.00"), Number(run.FinalAcc5, "0.00"), Number(run.BestAcc1, "0.00"), Number(run.ImagesPerSecond, "0"),
                TimeSpan.FromSeconds(run.Seconds).Shown(), run.Manifest.Created.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture));
        return table;
    }

    static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
