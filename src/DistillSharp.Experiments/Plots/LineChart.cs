namespace DistillSharp.Experiments.Plots;

/// <summary>A curve.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="X">The horizontal values, rising.</param>
/// <param name="Y">The vertical values, as many; NaN leaves a gap.</param>
public sealed record LineSeries(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y);

/// <summary>Curves over a common axis, the legend beside them.</summary>
public sealed record LineChart
{
    const double Text = 13, PlotWidth = 560, PlotHeight = 360, LegendTextWidth = 300, Gap = 14;

    /// <summary>The title above; none when empty.</summary>
    public string Title { get; init; } = "";

    /// <summary>The horizontal axis's name.</summary>
    public required string XLabel { get; init; }

    /// <summary>The vertical axis's name, with its unit.</summary>
    public required string YLabel { get; init; }

    /// <summary>Whether the horizontal values are whole numbers, such as epochs.</summary>
    public bool WholeX { get; init; } = true;

    /// <summary>The vertical range to show, to look closer at a part; from the values when null.</summary>
    public (double Low, double High)? YRange { get; init; }

    /// <summary>The curves.</summary>
    public required IReadOnlyList<LineSeries> Series { get; init; }

    /// <summary>Draws the chart.</summary>
    /// <exception cref="ArgumentException">A series' X and Y differ in length.</exception>
    /// <exception cref="UserException">There is no finite value to draw, or the range is empty.</exception>
    public Figure Draw()
    {
        foreach (var series in Series)
            if (series.X.Count != series.Y.Count)
                throw new ArgumentException($"the series '{series.Name}' has {series.X.Count} x and {series.Y.Count} y");
        var points = Series.SelectMany(s => s.X.Zip(s.Y)).Where(Drawn).ToList();
        if (points.Count == 0) throw new UserException($"there is nothing to draw for '{YLabel}': no run has a value yet");

        if (YRange is { } asked && !(asked.Low < asked.High && double.IsFinite(asked.High - asked.Low)))
            throw new UsageException($"the vertical range from {asked.Low} to {asked.High} is empty");
        var (lowY, highY) = YRange ?? Ticks.Widen(points.Min(p => p.Second), points.Max(p => p.Second), 7);
        var (lowX, highX) = (points.Min(p => p.First), points.Max(p => p.First));
        // Epochs begin at 0: training that is measured from its sixth epoch on did not begin there.
        if (WholeX && lowX > 0 && lowX <= highX / 4) lowX = 0;
        if (lowX == highX) (lowX, highX) = (lowX - 1, highX + 1);
        var (xTicks, yTicks) = (Ticks.Within(lowX, highX, 8, WholeX), Ticks.Within(lowY, highY, 7));

        var svg = new Svg();
        var left = Gap + Text + 10 + TextWidth.OfWidest(yTicks.Labels, Text) + 8;
        var top = Title.Length > 0 ? 44 : 18;
        var (right, bottom) = (left + PlotWidth, top + PlotHeight);
        double PlaceX(double x) => left + (x - lowX) / (highX - lowX) * PlotWidth;
        double PlaceY(double y) => bottom - (y - lowY) / (highY - lowY) * PlotHeight;

        if (Title.Length > 0) svg.Text(left + PlotWidth / 2, 27, TextWidth.Fit(Title, 15, PlotWidth + left), 15, Anchor.Middle, bold: true);
        for (var i = 0; i < yTicks.Values.Count; i++)
        {
            var y = PlaceY(yTicks.Values[i]);
            svg.Line(left, y, right, y, "#ddd");
            svg.Line(left - 5, y, left, y, "#444");
            svg.Text(left - 8, y, yTicks.Labels[i], Text, Anchor.End, middle: true);
        }
        for (var i = 0; i < xTicks.Values.Count; i++)
        {
            var x = PlaceX(xTicks.Values[i]);
            svg.Line(x, bottom, x, bottom + 5, "#444");
            svg.Text(x, bottom + 9 + Text, xTicks.Labels[i], Text, Anchor.Middle);
        }
        svg.Text(left + PlotWidth / 2, bottom + 2 * Text + 22, XLabel, Text, Anchor.Middle);
        svg.Text(Gap + Text / 2, top + PlotHeight / 2, YLabel, Text, Anchor.Middle, rotate: -90, middle: true);
        // A little more than the plot: lines and dots on its edge are not halved.
        svg.Clipped("plot", left - 4, top - 4, PlotWidth + 8, PlotHeight + 8, () =>
        {
            for (var i = 0; i < Series.Count; i++) DrawSeries(svg, Series[i], i, PlaceX, PlaceY);
        });
        svg.Line(left, top, left, bottom, "#444");
        svg.Line(left, bottom, right, bottom, "#444");

        var legendBottom = Legend(svg, right + 18, top, out var legendRight);
        return svg.Finish(legendRight + Gap, Math.Max(bottom + 2 * Text + 34, legendBottom + Gap));
    }

    static bool Drawn((double X, double Y) point) => double.IsFinite(point.X) && double.IsFinite(point.Y);

    static (string Color, string? Dash) Look(int index) =>
        (Palette.Lines[index % Palette.Lines.Count], Palette.Dashes[index % Palette.Dashes.Count]);

    // Measured only every few epochs.
    static bool IsSparse(LineSeries series) => series.X.Count > 1 && (series.X[^1] - series.X[0]) / (series.X.Count - 1) > 1.5;

    static void DrawSeries(Svg svg, LineSeries series, int index, Func<double, double> placeX, Func<double, double> placeY)
    {
        var (color, dash) = Look(index);
        var sparse = IsSparse(series);
        var stretch = new List<(double X, double Y)>();
        foreach (var (x, y) in series.X.Zip(series.Y).Append((double.NaN, double.NaN)))
        {
            if (Drawn((x, y)))
            {
                stretch.Add((placeX(x), placeY(y)));
                continue;
            }
            // A lone value is a dot: a line of one point would not show. So is one of every few epochs: the line between is a guess.
            if (stretch.Count == 1 || sparse)
                foreach (var (atX, atY) in stretch) svg.Marker(atX, atY, 3.5, index, color);
            if (stretch.Count > 1) svg.Polyline(stretch, color, 2, dash);
            stretch.Clear();
        }
    }

    double Legend(Svg svg, double x, double top, out double right)
    {
        const double line = 22, swatch = 34;
        var rows = Math.Max(1, (int)((PlotHeight + 40) / line));
        var names = Series.Select(s => TextWidth.Fit(s.Name, Text, LegendTextWidth)).ToList();
        right = x;
        for (var first = 0; first < names.Count; first += rows)
        {
            var column = names.Skip(first).Take(rows).ToList();
            for (var row = 0; row < column.Count; row++)
            {
                var (color, dash) = Look(first + row);
                var y = top + 8 + row * line;
                svg.Line(x, y, x + swatch, y, color, 2, dash);
                if (IsSparse(Series[first + row])) svg.Marker(x + swatch / 2, y, 3.5, first + row, color);
                svg.Text(x + swatch + 7, y, column[row], Text, middle: true);
            }
            right = x + swatch + 7 + TextWidth.OfWidest(column, Text);
            x = right + 18;
        }
        return top + 8 + Math.Min(rows, names.Count) * line;
    }
}
