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
        if (table.Marks.Count > 0)
        {
            text.Append("\n**").Append(Warning).Append("**\n\n");
            for (var i = 0; i < table.Marks.Count; i++) text.Append(CultureInfo.InvariantCulture, $"- †{i + 1} {table.Marks[i]}\n");
        }
        if (table.Settings.Count > 0)
        {
            text.Append("\n**").Append(Unpublished).Append("**\n\n");
            for (var i = 0; i < table.Settings.Count; i++) text.Append(CultureInfo.InvariantCulture, $"- ‡{i + 1} {table.Settings[i]}\n");
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
        var mark = cell.Mark is { } m ? string.Create(CultureInfo.InvariantCulture, $" †{m}") : "";
        var settings = cell.SettingsMark is { } number ? string.Create(CultureInfo.InvariantCulture, $" ‡{number}") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{mean:F2}{spread} ({cell.Ours!.Runs.Count}){mark}{settings}");
    }

    static string CommaSeparated(PaperTable table)
    {
        var text = new StringBuilder();
        Csv.AppendLine(text, ["table", "dataset", "teacher", "student", "method", "policy", "batch", "metric", "paper", "ours_mean",
            "ours_sd", "runs", "reproduction", "departures", "run_names", "settings"]);
        foreach (var cell in table.Cells.SelectMany(r => r))
        {
            var (p, ours) = (cell.Paper, cell.Ours);
            Csv.AppendLine(text, [p.Table, p.Dataset, p.Teacher, p.Student, p.Method, p.Policy, p.Batch, cell.Top5 ? "acc5" : "acc1",
                cell.PaperText, cell.Mean, cell.Spread, ours?.Runs.Count ?? 0, ours is null ? null : ours.IsReproduction ? "yes" : "no",
                ours is null ? null : string.Join("; ", ours.Departures), ours is null ? null
                    : string.Join(' ', ours.Runs), ours?.Settings]);
        }
        return text.ToString();
    }

    static string JsonObject(PaperTable table) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("table", table.Number);
        json.WriteString("title", table.Title);
        json.WriteString("source", PaperResults.Source);
        json.WriteStartArray("cells");
        foreach (var cell in table.Cells.SelectMany(r => r))
        {
            json.WriteStartObject();
            json.WriteString("dataset", cell.Paper.Dataset);
            json.WriteString("teacher", cell.Paper.Teacher);
            json.WriteString("student", cell.Paper.Student);
            json.WriteString("method", cell.Paper.Method);
            json.WriteString("policy", cell.Paper.Policy);
            Json.Write(json, "batch", cell.Paper.Batch);
            json.WriteString("metric", cell.Top5 ? "acc5" : "acc1");
            json.WriteNumber("paper", cell.PaperValue);
            if (cell.Ours is not { } ours) json.WriteNull("ours");
            else
            {
                json.WriteStartObject("ours");
                Json.Write(json, "mean", cell.Mean);
                Json.Write(json, "sd", cell.Spread);
                json.WriteNumber("runs", ours.Runs.Count);
                json.WriteBoolean("reproduction", ours.IsReproduction);
                Array(json, "departures", ours.Departures);
                Array(json, "run_names", ours.Runs);
                json.WriteNumber("other_runs", ours.OtherRuns);
                json.WriteString("settings", ours.Settings);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (table.Marks.Count > 0) json.WriteString("warning", Warning);
        Array(json, "remarks", table.Remarks);
        json.WriteEndObject();
    });

    static void Array(System.Text.Json.Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
