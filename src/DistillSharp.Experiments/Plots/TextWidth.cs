namespace DistillSharp.Experiments.Plots;

/// <summary>
/// How wide a text will be, so that legends and margins have room for it. The widths are DejaVu Sans's, the widest of the
/// fonts that the figures name: with another there is only more room.
/// </summary>
static class TextWidth
{
    // Thousandths of the font size, from the space to the tilde.
    static readonly short[] ascii =
    [
        318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636,
        636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
        603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635,
        634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
    ];

    public static double Of(string text, double size) => text.Sum(c => c is >= ' ' and <= '~' ? ascii[c - ' '] : 1000) * size / 1000;

    public static double OfWidest(IEnumerable<string> texts, double size) => texts.Select(t => Of(t, size)).DefaultIfEmpty(0).Max();

    /// <summary>A text cut in its middle to fit a width; beginning and end tell names apart best.</summary>
    public static string Fit(string text, double size, double width)
    {
        if (Of(text, size) <= width) return text;
        for (var keep = text.Length - 2; keep > 1; keep--)
        {
            var cut = text[..((keep + 1) / 2)] + "…" + text[^(keep / 2)..];
            if (Of(cut, size) <= width) return cut;
        }
        return "…";
    }
}
