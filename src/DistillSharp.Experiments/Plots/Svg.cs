namespace DistillSharp.Experiments.Plots;

/// <summary>How a text is anchored to its point.</summary>
enum Anchor
{
    Start,
    Middle,
    End,
}

/// <summary>Writes the few SVG elements that the figures are made of. Units are pixels, with the origin at the upper left.</summary>
sealed class Svg
{
    const string Font = "'DejaVu Sans', Verdana, Arial, sans-serif";

    readonly StringBuilder body = new();
    readonly StringBuilder definitions = new();

    public void Line(double x1, double y1, double x2, double y2, string stroke, double width = 1, string? dash = null) =>
        body.Append(CultureInfo.InvariantCulture, $"<line x1=\"{N(x1)}\" y1=\"{N(y1)}\" x2=\"{N(x2)}\" y2=\"{N(y2)}\" stroke=\"{stroke}\" "
            + $"stroke-width=\"{N(width)}\"{Dash(dash)}/>\n");

    /// <summary>A rectangle. <paramref name="crisp"/> keeps neighbors without seams.</summary>
    public void Rectangle(double x, double y, double width, double height, string fill, string stroke = "none", bool crisp = false) =>
        body.Append(CultureInfo.InvariantCulture, $"<rect x=\"{N(x)}\" y=\"{N(y)}\" width=\"{N(width)}\" height=\"{N(height)}\" "
            + $"fill=\"{fill}\"{(stroke == "none" ? "" : $" stroke=\"{stroke}\"")}{(crisp ? " shape-rendering=\"crispEdges\"" : "")}/>\n");

    /// <summary>A line through points; it is not filled.</summary>
    public void Polyline(IEnumerable<(double X, double Y)> points, string stroke, double width, string? dash = null)
    {
        body.Append("<polyline fill=\"none\" stroke-linejoin=\"round\" points=\"");
        foreach (var (x, y) in points) body.Append(N(x)).Append(',').Append(N(y)).Append(' ');
        body.Length--;
        body.Append(CultureInfo.InvariantCulture, $"\" stroke=\"{stroke}\" stroke-width=\"{N(width)}\"{Dash(dash)}/>\n");
    }

    /// <summary>A marker of half-width <paramref name="size"/> with an optional text that shows under the pointer.</summary>
    public void Marker(double x, double y, double size, int shape, string fill, double opacity = 1, string? tooltip = null)
    {
        var look = $"fill=\"{fill}\"{(opacity < 1 ? $" fill-opacity=\"{N(opacity)}\"" : "")}";
        var element = (shape % Shapes) switch
        {
            0 => $"<circle cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"{N(size)}\" {look}",
            1 => Path(x, y, size * 1.25, (0, -1), (0.95, 0.75), (-0.95, 0.75)),
            2 => Path(x, y, size * 0.9, (-1, -1), (1, -1), (1, 1), (-1, 1)),
            3 => Path(x, y, size * 1.3, (0, -1), (1, 0), (0, 1), (-1, 0)),
            4 => Path(x, y, size * 1.25, (0, 1), (0.95, -0.75), (-0.95, -0.75)),
            5 => Path(x, y, size * 1.3, (-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35), (0.35, 1), (-0.35, 1),
                (-0.35, 0.35), (-1, 0.35), (-1, -0.35), (-0.35, -0.35)),
            _ => throw new ArgumentOutOfRangeException(nameof(shape)),
        };
        body.Append(element);
        if (tooltip is null) body.Append("/>\n");
        else body.Append("><title>").Append(Escape(tooltip)).Append("</title></").Append(shape % Shapes == 0 ? "circle" : "path")
            .Append(">\n");

        string Path(double cx, double cy, double scale, params (double X, double Y)[] corners) =>
            $"<path d=\"M{string.Join('L', corners.Select(c => $"{N(cx + c.X * scale)},{N(cy + c.Y * scale)}"))}Z\" {look}";
    }

    public const int Shapes = 6;

    /// <summary>A text; its point is on the baseline, or with <paramref name="middle"/> halfway up. Degrees turn it clockwise.</summary>
    public void Text(double x, double y, string text, double size, Anchor anchor = Anchor.Start, double rotate = 0, bool bold = false,
        string fill = "#222", bool middle = false)
    {
        // librsvg knows no dominant-baseline; a third of the size is half the height of digits and capitals.
        var drop = middle ? size * 0.36 : 0;
        var (dx, dy) = rotate == 0 ? (0, drop) : (-Math.Sin(rotate * Math.PI / 180) * drop, Math.Cos(rotate * Math.PI / 180) * drop);
        body.Append(CultureInfo.InvariantCulture, $"<text x=\"{N(x + dx)}\" y=\"{N(y + dy)}\" font-size=\"{N(size)}\" fill=\"{fill}\"");
        if (anchor != Anchor.Start) body.Append(anchor == Anchor.Middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"");
        if (bold) body.Append(" font-weight=\"bold\"");
        if (rotate != 0) body.Append(CultureInfo.InvariantCulture, $" transform=\"rotate({N(rotate)} {N(x + dx)} {N(y + dy)})\"");
        body.Append('>').Append(Escape(text)).Append("</text>\n");
    }

    /// <summary>Draws only within a rectangle what the action draws.</summary>
    public void Clipped(string id, double x, double y, double width, double height, Action draw)
    {
        definitions.Append(
            $"<clipPath id=\"{id}\"><rect x=\"{N(x)}\" y=\"{N(y)}\" width=\"{N(width)}\" height=\"{N(height)}\"/></clipPath>\n");
        body.Append($"<g clip-path=\"url(#{id})\">\n");
        draw();
        body.Append("</g>\n");
    }

    public Figure Finish(double width, double height)
    {
        var (w, h) = ((int)Math.Ceiling(width), (int)Math.Ceiling(height));
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" font-family=\"{Font}\">\n");
        if (definitions.Length > 0) text.Append("<defs>\n").Append(definitions).Append("</defs>\n");
        text.Append("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n").Append(body).Append("</svg>\n");
        return new Figure(text.ToString(), w, h);
    }

    /// <summary>A number as short as two decimals allow.</summary>
    public static string N(double value)
    {
        var rounded = Math.Round(value, 2);
        return (rounded == 0 ? 0 : rounded).ToString("0.##", CultureInfo.InvariantCulture);
    }

    static string Dash(string? dash) => dash is null ? "" : $" stroke-dasharray=\"{dash}\"";

    static string Escape(string text) => string.Concat(text.Select(c => c switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        < ' ' or '\uFFFE' or '\uFFFF' => " ",
        _ when char.IsSurrogate(c) => "\uFFFD",
        _ => c.ToString(),
    }));
}
