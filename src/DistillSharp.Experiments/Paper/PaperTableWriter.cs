using DistillSharp.Experiments.Registry;

namespace DistillSharp.Experiments.Paper;

/// <summary>The forms in which a table can be written.</summary>
public enum TableFormat
{
    /// <summary>Markdown.</summary>
    Md,
    /// <summary>CSV, a line per cell.</summary>
    Csv,
    /// <summary>LaTeX, for booktabs.</summary>
    Tex,
    /// <summary>One JSON object.</summary>
    Json,
}

/// <summary>Writes a table of the paper with our results.</summary>
public static class PaperTableWriter
{
    /// <summary>The table in a form.</summary>
    public static string Write(PaperTable table, TableFormat format) => format switch
    {
        TableFormat.Md => Markdown(table),
        TableFormat.Csv => CommaSeparated(table),
        TableFormat.Tex => PaperTableLatex.Write(table),
        TableFormat.Json => JsonObject(table),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    /// <summary>The sentence that stands over the notes on departures.</summary>
    public const string Warning =
        "Not a reproduction: the cells of ours marked † depart from the paper's protocol and do not compare with its values.";

    /// <summary>The sentence that stands over the notes on settings.</summary>
    public const string Unpublished = "FSECD's settings are not public; the cells of ours marked ‡ were trained with:";

    static string Markdown(PaperTable table)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"**Table {table.Number}. {table.Title}**\n\n");
        text.Append("| ").Append(table.RowHead).Append(" |");
        foreach (var column in table.Columns) text.Append(' ').Append(column).Append(": paper | ours |");
        text.Append("\n|---|");
        foreach (var _ in table.Columns) text.Append("---:|---:|");
        text.Append('\n');
        for (var row = 0; row < table.Rows.Count; row++)
        {
            text.Append("| ").Append(table.Rows[row]).Append(" |");
            foreach (var cell in table.Cells[row]) text.Append(' ').Append(cell.PaperText).Append(" | ").Append(Ours(cell)).Append(" |");
            text.Append('\n');
        }
        foreach (var (heading, mark, notes) in table.Notes())
        {
            text.Append(CultureInfo.InvariantCulture, $"\n**{heading}**\n\n");
            foreach (var (i, note) in notes.Index()) text.Append(CultureInfo.InvariantCulture, $"- {mark}{i + 1} {note}\n");
        }
        text.Append("\nRemarks:\n\n");
        foreach (var remark in table.Remarks) text.Append("- ").Append(remark).Append('\n');
        return text.ToString();
    }

    /// <summary>Our part of a cell: <c>70.12 ± 0.21 (3) †1 ‡1</c>; nothing where nothing was run.</summary>
    public static string Ours(PaperCell cell)
    {
        if (cell.Mean is not { } mean) return "";
        var spread = cell.Spread is { } s ? string.Create(CultureInfo.InvariantCulture, $" ± {s:F2}") : "";
        var marks = string.Concat(cell.Marks.Select(mark => $" {mark.Sign}{mark.Number}"));
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F2}{spread} ({cell.Ours!.Runs.Count}){marks}");
    }

    static string CommaSeparated(PaperTable table) => Csv.Of(
        ["table", "dataset", "teacher", "student", "method", "policy", "batch", "metric", "paper", "ours_mean", "ours_sd", "runs",
            "reproduction", "departures", "run_names", "settings"],
        table.Cells.SelectMany(r => r).Select(cell => (object?[])[
            table.Number, cell.Paper.Dataset, cell.Paper.Teacher, cell.Paper.Student, cell.Paper.Method, cell.Paper.Policy,
            cell.Paper.Batch, Metric(cell), cell.PaperText, cell.Mean, cell.Spread, cell.Ours?.Runs.Count ?? 0,
            cell.Ours is null ? null : cell.Ours.IsReproduction ? "yes" : "no", string.Join("; ", cell.Ours?.Departures ?? []),
            string.Join(' ', cell.Ours?.Runs ?? []), cell.Ours?.Settings]));

    static string JsonObject(PaperTable table)
    {
        var cells = table.Cells.SelectMany(row => row).Select(cell => new
        {
            cell.Paper.Dataset, cell.Paper.Teacher, cell.Paper.Student, cell.Paper.Method, cell.Paper.Policy, cell.Paper.Batch,
            Metric = Metric(cell), Paper = cell.PaperValue,
            Ours = cell.Ours is not { } ours ? null : new
            {
                cell.Mean, Sd = cell.Spread, Runs = ours.Runs.Count, Reproduction = ours.IsReproduction, ours.Departures,
                RunNames = ours.Runs, ours.OtherRuns, ours.Settings,
            },
        });
        var written = new OrderedDictionary<string, object?>
        {
            ["table"] = table.Number, ["title"] = table.Title, ["source"] = PaperResults.Source, ["cells"] = cells,
        };
        if (table.Marks.Count > 0) written["warning"] = Warning;
        written["remarks"] = table.Remarks;
        return Json.Write(written);
    }

    static string Metric(PaperCell cell) => cell.Top5 ? "acc5" : "acc1";
}
