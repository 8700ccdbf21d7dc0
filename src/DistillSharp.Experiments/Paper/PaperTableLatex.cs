namespace DistillSharp.Experiments.Paper;

/// <summary>A table of the paper as LaTeX: needs booktabs and graphicx, and nothing else.</summary>
static class PaperTableLatex
{
    public static string Write(PaperTable table)
    {
        var text = new StringBuilder();
        var columns = table.Columns.Count;
        text.Append("% needs \\usepackage{booktabs} and \\usepackage{graphicx}\n");
        text.Append("\\begin{table}\n\\centering\n");
        text.Append(
            CultureInfo.InvariantCulture, $"\\caption{{{Escape(table.Title)} (table {table.Number} of the paper, ours beside it)}}\n");
        text.Append("\\resizebox{\\textwidth}{!}{%\n\\begin{tabular}{l").Insert(text.Length, "rr", columns).Append("}\n\\toprule\n");
        foreach (var column in table.Columns) text.Append(CultureInfo.InvariantCulture, $" & \\multicolumn{{2}}{{c}}{{{Escape(column)}}}");
        text.Append(" \\\\\n");
        for (var i = 0; i < columns; i++) text.Append(CultureInfo.InvariantCulture, $"\\cmidrule(lr){{{2 * i + 2}-{2 * i + 3}}}");
        text.Append('\n').Append(Escape(table.RowHead)).Insert(text.Length, " & paper & ours", columns).Append(" \\\\\n\\midrule\n");
        for (var row = 0; row < table.Rows.Count; row++)
        {
            text.Append(Escape(table.Rows[row]));
            foreach (var cell in table.Cells[row]) text.Append(" & ").Append(cell.PaperText).Append(" & ").Append(Ours(cell));
            text.Append(" \\\\\n");
        }
        text.Append("\\bottomrule\n\\end{tabular}}\n\n\\smallskip\n\\begin{minipage}{\\textwidth}\\footnotesize\n");
        foreach (var (heading, mark, notes) in table.Notes())
        {
            text.Append(CultureInfo.InvariantCulture, $"\\textbf{{{Escape(heading)}}}\\par\n");
            foreach (var (i, note) in notes.Index())
                text.Append(CultureInfo.InvariantCulture, $"$^{{{Symbol(mark)} {i + 1}}}$ {Escape(note)}\\par\n");
        }
        foreach (var remark in table.Remarks) text.Append(Escape(remark)).Append("\\par\n");
        return text.Append("\\end{minipage}\n\\end{table}\n").ToString();
    }

    static string Ours(PaperCell cell)
    {
        if (cell.Mean is not { } mean) return "";
        var spread = cell.Spread is { } s ? string.Create(CultureInfo.InvariantCulture, $" \\pm {s:F2}") : "";
        var marks = string.Join(", ", cell.Marks.Select(mark => $"{Symbol(mark.Sign)} {mark.Number}"));
        return string.Create(
            CultureInfo.InvariantCulture, $"${mean:F2}{spread}$ ({cell.Ours!.Runs.Count}){(marks.Length == 0 ? "" : $"$^{{{marks}}}$")}");
    }

    static string Symbol(char mark) => mark == '†' ? "\\dagger" : "\\ddagger";

    static string Escape(string text) => string.Concat(text.Select(c => c switch
    {
        '\\' => "\\textbackslash{}",
        '_' or '%' or '&' or '#' or '$' or '{' or '}' => $"\\{c}",
        '~' => "\\textasciitilde{}",
        '^' => "\\textasciicircum{}",
        '→' => "$\\rightarrow$",
        '±' => "$\\pm$",
        '†' or '‡' => $"${Symbol(c)}$",
        _ => c.ToString(),
    }));
}
