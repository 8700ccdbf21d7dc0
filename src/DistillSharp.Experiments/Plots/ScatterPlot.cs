namespace DistillSharp.Experiments.Plots;

/// <summary>A cloud of points.</summary>
/// <param name="Title">What it shows, such as the network's name.</param>
/// <param name="X">Horizontal positions.</param>
/// <param name="Y">Vertical positions, as many.</param>
/// <param name="Classes">Each point's class.</param>
public sealed record ScatterPanel(string Title, IReadOnlyList<float> X, IReadOnlyList<float> Y, IReadOnlyList<int> Classes)
{
    /// <summary>A text for each point that shows under the pointer in a browser; none when null.</summary>
    public IReadOnlyList<string>? Tooltips { get; init; }
}

/// <summary>
/// Clouds of points side by side, colored by class, as t-SNE makes them: the axes have no meaning and no numbers, and
/// distances are equally scaled in both directions. The legend stands below.
/// </summary>
public sealed record ScatterPlot
{
    const double Side = 420, Between = 24, Margin = 16, Text = 13;

    /// <summary>The title above; none when empty.</summary>
    public string Title { get; init; } = "";

    /// <summary>The panels, from left to right.</summary>
    public required IReadOnlyList<ScatterPanel> Panels { get; init; }

    /// <summary>The names of the classes, by number.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>Draws the plot.</summary>
    /// <exception cref="ArgumentException">A panel's arrays differ in length, or a class has no name.</exception>
    public Figure Draw()
    {
        var svg = new Svg();
        var width = 2 * Margin + Panels.Count * Side + (Panels.Count - 1) * Between;
        var top = Title.Length > 0 ? 40.0 : 14;
        if (Title.Length > 0) svg.Text(width / 2, 27, TextWidth.Fit(Title, 15, width - 2 * Margin), 15, Anchor.Middle, bold: true);
        for (var i = 0; i < Panels.Count; i++)
        {
            var left = Margin + i * (Side + Between);
            svg.Text(left + Side / 2, top + Text, TextWidth.Fit(Panels[i].Title, Text + 1, Side), Text + 1, Anchor.Middle);
            DrawPanel(svg, Panels[i], left, top + 24);
        }
        var shown = Panels.SelectMany(p => p.Classes).Distinct().Order().ToList();
        var bottom = Legend(svg, shown, width, top + 24 + Side + 16);
        return svg.Finish(width, bottom + 8);
    }

    void DrawPanel(Svg svg, ScatterPanel panel, double left, double top)
    {
        var count = panel.X.Count;
        if (panel.Y.Count != count || panel.Classes.Count != count || (panel.Tooltips is { } t && t.Count != count))
            throw new ArgumentException($"the panel '{panel.Title}' has arrays of different lengths");
        if (panel.Classes.Any(c => c < 0 || c >= ClassNames.Count))
            throw new ArgumentException($"the panel '{panel.Title}' has a class without a name; there are {ClassNames.Count} names");
        var finite = Enumerable.Range(0, count).Where(i => float.IsFinite(panel.X[i]) && float.IsFinite(panel.Y[i])).ToList();
        if (finite.Count > 0)
        {
            var (lowX, highX) = (finite.Min(i => panel.X[i]), finite.Max(i => panel.X[i]));
            var (lowY, highY) = (finite.Min(i => panel.Y[i]), finite.Max(i => panel.Y[i]));
            var scale = (Side - 28) / Math.Max(Math.Max(highX - lowX, highY - lowY), 1e-9);
            var size = Math.Clamp(2.6 * Math.Sqrt(2000.0 / finite.Count), 1.3, 4);
            foreach (var i in finite)
            {
                var (color, shape) = Palette.Class(panel.Classes[i], ClassNames.Count);
                svg.Marker(
                    left + Side / 2 + (panel.X[i] - (lowX + highX) / 2) * scale, top + Side / 2 - (panel.Y[i] - (lowY + highY) / 2) * scale,
                    size, shape, color, 0.8, panel.Tooltips?[i]);
            }
        }
        svg.Rectangle(left, top, Side, Side, "none", "#888");
    }

    double Legend(Svg svg, List<int> shown, double width, double top)
    {
        if (shown.Count == 0) return top;
        var text = shown.Count > 20 ? 10.5 : Text;
        var line = text + 5;
        var cell = Math.Min(TextWidth.OfWidest(shown.Select(c => ClassNames[c]), text), 150) + 30;
        var columns = Math.Clamp((int)((width - 2 * Margin) / cell), 1, shown.Count);
        var rows = (shown.Count + columns - 1) / columns;
        columns = (shown.Count + rows - 1) / rows;
        var left = (width - columns * cell) / 2;
        for (var i = 0; i < shown.Count; i++)
        {
            // Down the columns: the reader looks a name up in alphabetical lists.
            var (x, y) = (left + i / rows * cell, top + 6 + i % rows * line);
            var (color, shape) = Palette.Class(shown[i], ClassNames.Count);
            svg.Marker(x + 6, y, text * 0.36, shape, color);
            svg.Text(x + 16, y, TextWidth.Fit(ClassNames[shown[i]], text, 150), text, middle: true);
        }
        return top + rows * line + 4;
    }
}
