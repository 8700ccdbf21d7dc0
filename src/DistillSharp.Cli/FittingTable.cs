namespace DistillSharp.Cli;

/// <summary>A column of a <see cref="FittingTable"/>.</summary>
/// <param name="Head">What stands over it.</param>
/// <param name="IsNumber">Whether it is aligned to the right.</param>
/// <param name="Drop">In which order columns are left out where there is too little room, from 1; 0 for never.</param>
readonly record struct Column(string Head, bool IsNumber = false, int Drop = 0);

/// <summary>
/// A table that never cuts a word in two: where the terminal is too narrow, columns are left out in their order and named below, and
/// where those that must stay do not fit either, each row becomes a few lines.
/// </summary>
sealed class FittingTable(params Column[] columns)
{
    const string Gap = "  ", Indent = "  ";

    readonly List<string[]> rows = [];

    /// <summary>How a reader gets the columns that are left out, such as <c>--csv has all</c>; null for no such way.</summary>
    public string? ForAll { get; init; }

    /// <summary>Adds a row: a text for each column.</summary>
    public void Add(params string[] cells) => rows.Add(cells.Length == columns.Length
        ? cells : throw new ArgumentException($"{cells.Length} cells for {columns.Length} columns", nameof(cells)));

    public void Write(Terminal terminal)
    {
        foreach (var line in Lines(terminal.StyledOut.Profile.Width)) terminal.Out.WriteLine(line);
    }

    /// <summary>The table in lines of at most so many columns; a longer word is broken behind a sign where it has one.</summary>
    public IReadOnlyList<string> Lines(int width)
    {
        var widths = columns.Select((column, at) => rows.Select(row => row[at].Length).Append(column.Head.Length).Max()).ToArray();
        var shown = Enumerable.Range(0, columns.Length).ToList();
        foreach (var at in Enumerable.Range(0, columns.Length).Where(at => columns[at].Drop > 0).OrderBy(at => columns[at].Drop))
        {
            if (Width(shown) <= width) break;
            shown.Remove(at);
        }
        if (Width(shown) > width) return [.. rows.SelectMany(row => Stacked(row, width))];
        var left = Enumerable.Range(0, columns.Length).Except(shown).Select(at => columns[at].Head).ToArray();
        return
        [
            Line([.. columns.Select(column => column.Head)]), new('─', Width(shown)), .. rows.Select(Line),
            .. left.Length == 0 ? []
            : TextLines.Of($"left out here: {string.Join(", ", left)}{(ForAll is null ? "" : $"; {ForAll}")}", width),
        ];

        int Width(List<int> of) => of.Sum(at => widths[at]) + Gap.Length * (of.Count - 1);

        string Line(string[] cells) => string.Join(Gap, shown.Select(at =>
            columns[at].IsNumber ? cells[at].PadLeft(widths[at]) : cells[at].PadRight(widths[at]))).TrimEnd();
    }

    // The first cell names the row; what the others are stands before each.
    IEnumerable<string> Stacked(string[] row, int width) =>
    [
        .. TextLines.Of(row[0], width),
        .. columns.Zip(row).Skip(1).Where(cell => cell.Second.Length > 0)
            .SelectMany(cell => TextLines.Of($"{cell.First.Head} {cell.Second}", width - Indent.Length)).Select(line => Indent + line),
    ];
}
