using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Registry;

namespace DistillSharp.Experiments.Published;

/// <summary>Writes what was published on CIFAR-100, with our results beside it.</summary>
public static class PublishedTable
{
    /// <summary>The sentences that stand under the table.</summary>
    public static IReadOnlyList<string> Remarks { get; } =
    [
        "The published values are their authors', never measured by this project, and no part of the paper's tables 2 to 5.",
        "\"last\" is the accuracy of the last epoch, \"best\" that of the best epoch on the test set, which is the higher one: "
            + "the two do not compare.",
        "Ours are the accuracy after the last epoch, mean ± sample standard deviation over seeds (number of runs); † marks runs that "
            + "depart from the public comparison's protocol, which their recipe tells.",
    ];

    /// <summary>The table in a form.</summary>
    /// <param name="runs">Our runs, of any kind; those that belong there are found.</param>
    /// <param name="format">Markdown, CSV or JSON.</param>
    /// <exception cref="UsageException">The table has no such form.</exception>
    public static string Write(IReadOnlyList<RunSummary> runs, TableFormat format)
    {
        var cells = PublishedResults.All.Select(result => (Result: result, Ours: result.Ours(runs))).ToArray();
        return format switch
        {
            TableFormat.Md => Markdown(cells),
            TableFormat.Csv => CommaSeparated(cells),
            TableFormat.Json => JsonObject(cells),
            _ => throw new UsageException("the table cifar100 is written as md, csv or json, not as tex"),
        };
    }

    static string Markdown((PublishedResult Result, CellResult? Ours)[] cells)
    {
        var text = new StringBuilder("**Published on CIFAR-100, Acc1 in %**\n");
        // As the sources print them: pairs of one family, and of different ones.
        var blocks = cells.GroupBy(cell => Family(cell.Result.Teacher) == Family(cell.Result.Student));
        foreach (var block in blocks.OrderByDescending(block => block.Key))
        {
            var pairs = block.Select(cell => cell.Result.Pair).Distinct().ToArray();
            text.Append("\n| method | source | epoch |").AppendJoin("", pairs.Select(pair => $" {pair}: published | ours |"));
            text.Append("\n|---|---|---|").AppendJoin("", pairs.Select(_ => "---:|---:|")).Append('\n');
            foreach (var row in block.GroupBy(cell => (cell.Result.Label, cell.Result.Source, cell.Result.Epoch)))
            {
                text.Append(CultureInfo.InvariantCulture, $"| {row.Key.Label} | {row.Key.Source} | {row.Key.Epoch} |");
                foreach (var pair in pairs)
                {
                    var cell = row.FirstOrDefault(cell => cell.Result.Pair == pair);
                    text.Append(' ').Append(cell.Result is null ? "" : Number(cell.Result.Acc1)).Append(" | ").Append(Ours(cell.Ours))
                        .Append(" |");
                }
                text.Append('\n');
            }
        }
        text.Append("\nSources:\n\n");
        foreach (var (key, source) in PublishedResults.Sources) text.Append(CultureInfo.InvariantCulture, $"- {key}: {source}\n");
        text.Append("\nRemarks:\n\n");
        foreach (var remark in Remarks) text.Append("- ").Append(remark).Append('\n');
        return text.ToString();
    }

    static string CommaSeparated((PublishedResult Result, CellResult? Ours)[] cells) => Csv.Of(
        ["method", "form", "teacher", "student", "published", "epoch", "source", "ours_mean", "ours_sd", "runs", "departures"],
        cells.Select(cell => (object?[])[
            cell.Result.Method, cell.Result.Standardized ? "standardize" : null, cell.Result.Teacher, cell.Result.Student,
            Number(cell.Result.Acc1), cell.Result.Epoch, cell.Result.Source, cell.Ours?.Acc1, cell.Ours?.Acc1Spread,
            cell.Ours?.Runs.Count ?? 0, cell.Ours is null ? null : string.Join("; ", cell.Ours.Departures)]));

    static string JsonObject((PublishedResult Result, CellResult? Ours)[] cells) => Json.Write(new
    {
        Table = "cifar100", PublishedResults.Sources,
        Cells = cells.Select(cell => new
        {
            cell.Result.Method, Standardize = cell.Result.Standardized, cell.Result.Teacher, cell.Result.Student,
            Published = cell.Result.Acc1, cell.Result.Epoch, cell.Result.Source,
            Ours = cell.Ours?.Acc1, OursSd = cell.Ours?.Acc1Spread, Runs = cell.Ours?.Runs.Count ?? 0,
        }),
    });

    static string Ours(CellResult? ours) => ours is null ? "" : string.Create(CultureInfo.InvariantCulture,
        $"{ours.Acc1:F2}{Spread(ours)} ({ours.Runs.Count}){(ours.IsReproduction ? "" : " †")}");

    static string Spread(CellResult ours) => ours.Acc1Spread is { } spread ? $" ± {Number(spread)}" : "";

    static string Number(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    // resnet50_cifar is of the ImageNet networks, which the sources count as another family than the students'.
    static string Family(string network) => new([.. network.TakeWhile(char.IsAsciiLetter)]);
}
