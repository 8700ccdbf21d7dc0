namespace DistillSharp.Experiments.Plots;

/// <summary>
/// Which class is taken for which. Each row is the true class and adds up to 100 %. The colors rise with the square root,
/// so that a confusion of a few per cent shows beside a diagonal of ninety.
/// </summary>
public sealed record ConfusionMatrix
{
    const double Side = 520, Margin = 16, Text = MatrixPanel.Text;

    /// <summary>The title above; none when empty.</summary>
    public string Title { get; init; } = "";

    /// <summary>Counts by true class (row) and predicted class (column).</summary>
    public required long[,] Counts { get; init; }

    /// <summary>The names of the classes; shown up to 20 of them, else numbers.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>Draws the matrix; up to 20 classes with the per cent in each square.</summary>
    /// <exception cref="ArgumentException">The matrix is not square.</exception>
    public Figure Draw()
    {
        var count = Counts.GetLength(0);
        if (count == 0 || count != Counts.GetLength(1)) throw new ArgumentException("a confusion matrix is square");
        var shares = Shares();

        var svg = new Svg();
        var cell = MatrixPanel.Cell(count, Side);
        var left = Margin + Text + 8 + MatrixPanel.RowLabelWidth(ClassNames, count) + 8;
        var top = Title.Length > 0 ? 44.0 : 16;
        var side = count * cell;
        MatrixPanel.Fill(svg, shares, left, top, cell, Color);
        if (count <= 20)
        {
            var size = Math.Min(Text, cell * 0.42);
            // Below ten per cent a decimal tells, where there are images enough for one.
            var small = shares.Cast<double>().Any(s => s is > 0 and < 0.0995 && Math.Abs(s * 100 - Math.Round(s * 100)) > 0.01) ? "0.0"
                : "0";
            for (var row = 0; row < count; row++)
                for (var column = 0; column < count; column++)
                {
                    var share = shares[row, column];
                    if (!(share >= 0.0005)) continue;
                    svg.Text(left + (column + 0.5) * cell, top + (row + 0.5) * cell,
                        (share * 100).ToString(share < 0.0995 ? small : "0", CultureInfo.InvariantCulture), size, Anchor.Middle,
                        fill: Palette.IsDark(Color(share)) ? "#fff" : "#222", middle: true);
                }
        }
        MatrixPanel.Label(svg, ClassNames, count, count, left, top, cell);
        svg.Text(
            left + side / 2, top + side + MatrixPanel.ColumnLabelHeight(ClassNames, count) + Text + 10, "predicted class", Text,
            Anchor.Middle);
        svg.Text(Margin + Text / 2, top + side / 2, "true class", Text, Anchor.Middle, rotate: -90, middle: true);
        var right = MatrixPanel.Bar(svg, left + side + 20, top, side, "share of the true class", at => Palette.Sequential(at),
            [.. new[] { 0, 1, 5, 10, 25, 50, 75, 100 }.Select(
                p => (Math.Sqrt(p / 100.0), p.ToString(CultureInfo.InvariantCulture) + " %"))]);
        if (Title.Length > 0) svg.Text((right + Margin) / 2, 27, TextWidth.Fit(Title, 15, right), 15, Anchor.Middle, bold: true);
        return svg.Finish(right + Margin / 2, top + side + MatrixPanel.ColumnLabelHeight(ClassNames, count) + Text + 24);
    }

    static string Color(double share) => Palette.Sequential(Math.Sqrt(share));

    double[,] Shares()
    {
        var count = Counts.GetLength(0);
        var shares = new double[count, count];
        for (var row = 0; row < count; row++)
        {
            var sum = Enumerable.Range(0, count).Sum(column => Counts[row, column]);
            // A class without images has no shares: gray.
            for (var column = 0; column < count; column++) shares[row, column] = sum == 0 ? double.NaN : (double)Counts[row, column] / sum;
        }
        return shares;
    }
}
