namespace DistillSharp.Experiments.Plots;

/// <summary>A matrix as colored squares with labeled rows and columns, and a color bar, for heat map and confusion matrix.</summary>
static class MatrixPanel
{
    public const double Text = 12;

    // More labels than this are numbers at round places: names would be too small to read.
    const int MaxNames = 20;

    const double LongestName = 130;

    /// <summary>Whole pixels per cell, so that neighbors meet without seams.</summary>
    public static double Cell(int count, double side) => Math.Max(1, Math.Floor(side / Math.Max(1, count)));

    public static double RowLabelWidth(IReadOnlyList<string> names, int count) => Named(names, count)
        ? Math.Min(TextWidth.OfWidest(names, Text), LongestName)
        : TextWidth.Of((count - 1).ToString(CultureInfo.InvariantCulture), Text);

    public static double ColumnLabelHeight(IReadOnlyList<string> names, int count) =>
        !Named(names, count) || LiesFlat(names, count) ? Text + 6 : RowLabelWidth(names, count) + 4;

    /// <summary>Fills the squares, runs of one color as one rectangle.</summary>
    public static void Fill(Svg svg, double[,] values, double left, double top, double cell, Func<double, string> color)
    {
        for (var row = 0; row < values.GetLength(0); row++)
            for (var column = 0; column < values.GetLength(1);)
            {
                var fill = Color(values[row, column]);
                var start = column++;
                while (column < values.GetLength(1) && Color(values[row, column]) == fill) column++;
                svg.Rectangle(left + start * cell, top + row * cell, (column - start) * cell, cell, fill, crisp: true);
            }
        svg.Rectangle(left, top, values.GetLength(1) * cell, values.GetLength(0) * cell, "none", "#666");

        string Color(double value) => double.IsFinite(value) ? color(value) : "#BBBBBB";
    }

    /// <summary>Writes the labels of rows and columns: names where they can be read, else numbers at round places.</summary>
    public static void Label(
        Svg svg, IReadOnlyList<string> names, int rows, int columns, double left, double top, double cell, bool rowLabels = true)
    {
        var bottom = top + rows * cell;
        if (Named(names, Math.Max(rows, columns)))
        {
            var flat = LiesFlat(names, columns);
            for (var i = 0; i < columns; i++)
            {
                var x = left + (i + 0.5) * cell;
                if (flat) svg.Text(x, bottom + 6 + Text, names[i], Text, Anchor.Middle);
                else svg.Text(x, bottom + 6, TextWidth.Fit(names[i], Text, LongestName), Text, Anchor.End, rotate: -90, middle: true);
            }
            for (var i = 0; rowLabels && i < rows; i++)
                svg.Text(left - 6, top + (i + 0.5) * cell, TextWidth.Fit(names[i], Text, LongestName), Text, Anchor.End, middle: true);
            return;
        }
        Numbers(columns, (at, label) =>
        {
            svg.Line(left + (at + 0.5) * cell, bottom, left + (at + 0.5) * cell, bottom + 4, "#666");
            svg.Text(left + (at + 0.5) * cell, bottom + 7 + Text, label, Text, Anchor.Middle);
        });
        if (rowLabels)
            Numbers(rows, (at, label) =>
            {
                svg.Line(left - 4, top + (at + 0.5) * cell, left, top + (at + 0.5) * cell, "#666");
                svg.Text(left - 6, top + (at + 0.5) * cell, label, Text, Anchor.End, middle: true);
            });
    }

    /// <summary>Draws a color bar; its colors and labels are at heights from 0 (bottom) to 1. Gives the right edge of all of it.</summary>
    public static double Bar(Svg svg, double left, double top, double height, string name, Func<double, string> color,
        IReadOnlyList<(double At, string Label)> labels)
    {
        const double width = 16;
        var steps = (int)Math.Round(height);
        for (var i = 0; i < steps; i++) svg.Rectangle(left, top + i, width, 1, color(1 - (i + 0.5) / steps), crisp: true);
        svg.Rectangle(left, top, width, steps, "none", "#666");
        foreach (var (at, label) in labels)
        {
            var y = top + (1 - at) * steps;
            svg.Line(left + width, y, left + width + 4, y, "#666");
            svg.Text(left + width + 7, y, label, Text, middle: true);
        }
        var right = left + width + 7 + TextWidth.OfWidest(labels.Select(l => l.Label), Text) + 14;
        svg.Text(right, top + height / 2, TextWidth.Fit(name, Text, height), Text, Anchor.Middle, rotate: -90, middle: true);
        return right + Text / 2 + 4;
    }

    static bool Named(IReadOnlyList<string> names, int count) => names.Count >= count && count <= MaxNames;

    // Short names side by side need no turning.
    static bool LiesFlat(IReadOnlyList<string> names, int count) => names.Take(count).All(n => n.Length <= 2);

    static void Numbers(int count, Action<int, string> draw)
    {
        var ticks = Ticks.Within(0, count - 1, 10, whole: true);
        for (var i = 0; i < ticks.Values.Count; i++) draw((int)ticks.Values[i], ticks.Labels[i]);
    }
}
