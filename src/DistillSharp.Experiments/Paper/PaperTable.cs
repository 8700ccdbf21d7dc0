using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Paper;

/// <summary>A cell: the paper's value, and ours where there are runs.</summary>
/// <param name="Paper">The paper's result.</param>
/// <param name="Top5">Whether the cell shows Acc5 instead of Acc1.</param>
/// <param name="Ours">Ours, or null where nothing was run.</param>
/// <param name="Mark">The number of the note on departures from the protocol, from 1; null for a reproduction and without a run.</param>
/// <param name="SettingsMark">The number of the note on settings that the paper does not publish, from 1; null without such.</param>
public sealed record PaperCell(PaperResult Paper, bool Top5, CellResult? Ours, int? Mark, int? SettingsMark = null)
{
    /// <summary>The paper's value in percent.</summary>
    public double PaperValue => Top5 ? Paper.Acc5!.Value : Paper.Acc1;

    /// <summary>Our mean in percent, or null.</summary>
    public double? Mean => Top5 ? Ours?.Acc5 : Ours?.Acc1;

    /// <summary>Our sample standard deviation, or null.</summary>
    public double? Spread => Top5 ? Ours?.Acc5Spread : Ours?.Acc1Spread;

    /// <summary>The paper's value with two decimals.</summary>
    public string PaperText => PaperValue.ToString("F2", CultureInfo.InvariantCulture);

    internal IEnumerable<(char Sign, int? Number)> Marks =>
        new[] { ('†', Mark), ('‡', SettingsMark) }.Where(mark => mark.Item2 is not null);
}

/// <summary>
/// A table of the paper in the paper's layout with our results beside it. Cells of ours that depart from the paper's
/// protocol carry a mark whose note says in what: a scaled-down number never stands there unmarked.
/// </summary>
public sealed class PaperTable
{
    PaperTable(int number, IReadOnlyList<string> rows, IReadOnlyList<string> columns, PaperCell[][] cells) =>
        (Number, Rows, Columns, Cells) = (number, rows, columns, cells);

    /// <summary>The table's number in the paper.</summary>
    public int Number { get; }

    /// <summary>What it shows.</summary>
    public string Title => Number switch
    {
        2 => "Batch size and choice of positive pairs, CIFAR-100, Acc1 in %",
        3 => "Teacher and student of the same family, CIFAR-100, Acc1 in %",
        4 => "Teacher and student of different families, CIFAR-100, Acc1 in %",
        _ => "ImageNet, Acc1 and Acc5 in %",
    };

    /// <summary>The head of the column of row labels.</summary>
    public string RowHead => Number == 2 ? "pair, method" : "method";

    /// <summary>The rows' labels.</summary>
    public IReadOnlyList<string> Rows { get; }

    /// <summary>The columns' labels; each column holds the paper's value and ours.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>The cells by row and column.</summary>
    public IReadOnlyList<IReadOnlyList<PaperCell>> Cells { get; }

    /// <summary>The notes on departures from the protocol; a cell's <see cref="PaperCell.Mark"/> counts them from 1.</summary>
    public IReadOnlyList<string> Marks { get; private init; } = [];

    /// <summary>The notes on unpublished settings; a cell's <see cref="PaperCell.SettingsMark"/> counts them from 1.</summary>
    public IReadOnlyList<string> Settings { get; private init; } = [];

    /// <summary>What must be said under the table.</summary>
    public IReadOnlyList<string> Remarks { get; private init; } = [];

    /// <summary>Makes a table of the paper with the results of our runs.</summary>
    /// <param name="number">2 to 5.</param>
    /// <param name="runs">Our runs, of any kind; those that belong to the table are found.</param>
    /// <exception cref="UsageException">The paper has no such table of results.</exception>
    public static PaperTable Of(int number, IReadOnlyList<RunSummary> runs)
    {
        if (!PaperResults.Tables.Contains(number))
            throw new UsageException(
                $"there is no table {number}; the paper's tables of results are {string.Join(", ", PaperResults.Tables)}");
        var results = PaperResults.All.Where(r => r.Table == number).ToList();
        var rows = results.Select(r => RowLabel(r)).Distinct().ToList();
        var tops = number == 5 ? new[] { false, true } : [false];
        var columns = results.Select(ColumnLabel).Distinct().ToList();

        var ours = results.ToDictionary(r => r, r => CellResult.Of(r, runs));
        var marks = ours.Values.Where(o => o is { IsReproduction: false }).Select(Note).Distinct().ToList();
        var settings = ours.Values.Select(o => o?.Settings).OfType<string>().Distinct().ToList();
        var cells = rows.Select(row => columns.SelectMany(column => tops.Select(top5 =>
        {
            var paper = results.Single(r => RowLabel(r) == row && ColumnLabel(r) == column);
            var own = ours[paper];
            return new PaperCell(paper, top5, own, own is null or { IsReproduction: true } ? null : marks.IndexOf(Note(own)) + 1,
                own?.Settings is { } said ? settings.IndexOf(said) + 1 : null);
        })).ToArray()).ToArray();
        var labels = number == 5 ? columns.SelectMany(c => new[] { $"{c} Acc1", $"{c} Acc5" }).ToList() : columns;
        return new PaperTable(number, rows, labels, cells)
        {
            Marks = marks, Settings = settings, Remarks = [.. plain, .. OnOurRuns(results, ours, runs)],
        };
    }

    /// <summary>The notes to the cells, with the sentence over them and the mark of the cells.</summary>
    internal IEnumerable<(string Heading, char Mark, IReadOnlyList<string> Notes)> Notes() =>
        new[] { (PaperTableWriter.Warning, '†', Marks), (PaperTableWriter.Unpublished, '‡', Settings) }
            .Where(notes => notes.Item3.Count > 0);

    /// <summary>A method as a table names it.</summary>
    public static string MethodLabel(string method) => method switch
    {
        "fitnet" => "FitNet",
        "reviewkd" => "ReviewKD",
        "simkd" => "SimKD",
        _ => method.ToUpperInvariant(),
    };

    static string Note(CellResult? own) => string.Join(", ", own!.Departures);

    static string RowLabel(PaperResult r) => r.Table == 2
        ? $"{Pair(r)}, {MethodLabel(r.Method)}{(r.Policy is null ? "" : $" ({r.Policy}-level)")}" : MethodLabel(r.Method);

    static string ColumnLabel(PaperResult r) => r.Table == 2 ? $"batch {r.Batch}" : Pair(r);

    static string Pair(PaperResult r) => $"{r.Teacher} → {r.Student}";

    static IEnumerable<string> OnOurRuns(
        List<PaperResult> results, Dictionary<PaperResult, CellResult?> ours, IReadOnlyList<RunSummary> runs)
    {
        foreach (var (paper, own) in ours)
            if (own is { OtherRuns: > 0 and var count })
                yield return $"{RowLabel(paper)}, {ColumnLabel(paper)}: {count} more finished run{(count == 1 ? "" : "s")} with other "
                    + "settings not shown.";
        var open = runs.Where(r => r.State != RunState.Finished && results.Any(p => CellResult.BelongsTo(p, r))).ToList();
        if (open.Count > 0)
            yield return "Not counted, since they have not finished: "
                + string.Join(", ", open.Select(r => $"{r.Name} ({r.State.ToString().ToLowerInvariant()})")) + ".";
    }

    // What must be said plainly wherever a table of the paper is shown.
    static readonly string[] plain =
    [
        "The paper's values are its own, not ours: " + PaperResults.Source + ".",
        "Ours are the accuracy after the last epoch, mean ± sample standard deviation over seeds (number of "
        + "runs); a cell is empty where nothing was run.",
        "Tables 3 and 4 of the paper take the CE to CRD rows from the CRD paper's benchmark (batch 64, 240 epochs); the DKD row is "
        + "marked by the paper as re-run.",
        "DKD's published code reports the best epoch, so that the DKD row may hold best-epoch values; ours are of "
        + "the last epoch, which is lower or the same.",
        "Table 3's FSECD values equal table 2's instance-level ones at batch 128 where both have them, so 128 is taken for FSECD's batch "
        + "size; 64 for the other methods.",
        "Table 2 of the paper is inconsistent with its table 3: its CE row at batch 128 for wrn_40_2 → wrn_40_1 (73.26) is table 3's CE "
        + "value of wrn_16_2, not of wrn_40_1 (71.98).",
        "\"MobileNetV2\" in table 4 is the half-width CIFAR variant (mobilenet_v2_half); \"ResNet50\" there is the CIFAR variant with a "
        + "3x3 stem (resnet50_cifar).",
        "FSECD's formulas and settings are not public; ours are this project's definition and defaults. The learning rates of table 2's "
        + "larger batches are not public either.",
    ];
}
