namespace DistillSharp.Experiments.Plots;

/// <summary>A matrix of a heat map.</summary>
/// <param name="Title">What it shows, such as the method's name.</param>
/// <param name="Values">The values by row and column; NaN is gray.</param>
public sealed record HeatMapPanel(string Title, double[,] Values);

/// <summary>
/// Matrices side by side in a diverging color map, white at zero, all to one scale: the difference of the correlation
/// matrices of teacher's and student's logits, one panel per student.
/// </summary>
public sealed record HeatMap
{
    const double Side = 360, Margin = 16, Text = MatrixPanel.Text;

    /// <summary>The title above; none when empty.</summary>
    public string Title { get; init; } = "";

    /// <summary>The matrices, from left to right, all of one size.</summary>
    public required IReadOnlyList<HeatMapPanel> Panels { get; init; }

    /// <summary>The name of rows and columns, such as <c>class</c>.</summary>
    public string AxisLabel { get; init; } = "class";

    /// <summary>The names of rows and columns; shown up to 20 of them, else numbers.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>What the colors mean.</summary>
    public required string ValueLabel { get; init; }

    /// <summary>The value at the ends of the color bar; the largest absolute value when null.</summary>
    public double? Limit { get; init; }

    /// <summary>Draws the map.</summary>
    /// <exception cref="ArgumentException">The matrices differ in size, or there is none.</exception>
    public Figure Draw()
    {
        if (Panels.Select(p => (p.Values.GetLength(0), p.Values.GetLength(1))).Distinct().ToList() is not [var (rows, columns)])
            throw new ArgumentException("a heat map needs matrices of one size");
        var max = Math.Max(rows, columns);
        var limit = Limit
            ?? Panels.SelectMany(p => p.Values.Cast<double>()).Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        if (limit <= 0) limit = 1;

        var svg = new Svg();
        var cell = MatrixPanel.Cell(max, Side);
        var left = Margin + Text + 8 + MatrixPanel.RowLabelWidth(Names, max) + 8;
        var top = (Title.Length > 0 ? 40 : 14) + Text + 12;
        var (width, height) = (columns * cell, rows * cell);
        for (var i = 0; i < Panels.Count; i++)
        {
            var x = left + i * (width + 22);
            svg.Text(x + width / 2, top - 9, TextWidth.Fit(Panels[i].Title, Text + 1, width + 16), Text + 1, Anchor.Middle);
            MatrixPanel.Fill(svg, Panels[i].Values, x, top, cell, v => Palette.Diverging(v / limit));
            MatrixPanel.Label(svg, Names, rows, columns, x, top, cell, rowLabels: i == 0);
            svg.Text(x + width / 2, top + height + MatrixPanel.ColumnLabelHeight(Names, max) + Text + 10, AxisLabel, Text, Anchor.Middle);
        }
        svg.Text(Margin + Text / 2, top + height / 2, AxisLabel, Text, Anchor.Middle, rotate: -90, middle: true);

        var ticks = Ticks.Within(-limit, limit, 8);
        var right = MatrixPanel.Bar(svg, left + Panels.Count * (width + 22), top, height, ValueLabel, at => Palette.Diverging(2 * at - 1),
            [.. ticks.Values.Zip(ticks.Labels, (v, l) => ((v + limit) / (2 * limit), l))]);
        if (Title.Length > 0) svg.Text((right + Margin) / 2, 27, TextWidth.Fit(Title, 15, right), 15, Anchor.Middle, bold: true);
        return svg.Finish(right + Margin / 2, top + height + MatrixPanel.ColumnLabelHeight(Names, max) + Text + 24);
    }
}
