namespace DistillSharp.Experiments.Plots;

/// <summary>Colors that print, and that the color-blind can tell apart as far as the number of classes allows.</summary>
static class Palette
{
    /// <summary>Lines: Okabe and Ito's colors without the yellow, which white paper swallows.</summary>
    public static IReadOnlyList<string> Lines { get; } = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00"];

    /// <summary>Dashes, so that lines differ on a gray print and beyond the colors.</summary>
    public static IReadOnlyList<string?> Dashes { get; } = [null, "7 3", "2 2.5", "9 3 2 3", "12 4", "5 2 1.5 2 1.5 2"];

    // Tol's muted and bright schemes, in an order that keeps neighbors apart.
    static readonly string[] classes =
        ["#0077BB", "#EE7733", "#009988", "#CC3311", "#EE3377", "#33BBEE", "#AA8800", "#882255", "#777777", "#332288"];

    /// <summary>A class's color and marker: colors first, then the shapes multiply them; lightness varies with the shape.</summary>
    public static (string Color, int Shape) Class(int index, int count)
    {
        var color = classes[index % classes.Length];
        var round = index / classes.Length;
        if (count <= classes.Length) return (color, 0);
        // 100 classes are 10 colors in 2 tones times 6 shapes: not told apart at a glance, but never equal.
        var tone = round % 2 == 0 ? 0.0 : 0.45;
        return (Mix(color, "#FFFFFF", tone), round / 2 % Svg.Shapes);
    }

    // ColorBrewer's RdBu, blue for negative, red for positive, white at zero.
    static readonly string[] diverging =
        ["#053061", "#2166AC", "#4393C3", "#92C5DE", "#D1E5F0", "#F7F7F7", "#FDDBC7", "#F4A582", "#D6604D", "#B2182B", "#67001F"];

    // ColorBrewer's Blues, from white.
    static readonly string[] sequential =
        ["#FFFFFF", "#DEEBF7", "#C6DBEF", "#9ECAE1", "#6BAED6", "#4292C6", "#2171B5", "#08519C", "#08306B"];

    /// <summary>The diverging map at a value from -1 to 1.</summary>
    public static string Diverging(double value) => Along(diverging, (Math.Clamp(value, -1, 1) + 1) / 2);

    /// <summary>The sequential map at a value from 0 to 1.</summary>
    public static string Sequential(double value) => Along(sequential, Math.Clamp(value, 0, 1));

    /// <summary>Whether text on a color must be white to be read.</summary>
    public static bool IsDark(string color)
    {
        var (r, g, b) = Parse(color);
        return 0.299 * r + 0.587 * g + 0.114 * b < 140;
    }

    static string Along(string[] stops, double at)
    {
        var position = at * (stops.Length - 1);
        var index = Math.Min((int)position, stops.Length - 2);
        return Mix(stops[index], stops[index + 1], position - index);
    }

    static string Mix(string from, string to, double share)
    {
        var (a, b) = (Parse(from), Parse(to));
        return string.Create(CultureInfo.InvariantCulture, $"#{Part(a.R, b.R):X2}{Part(a.G, b.G):X2}{Part(a.B, b.B):X2}");
        int Part(int x, int y) => (int)Math.Round(x + (y - x) * share);
    }

    static (int R, int G, int B) Parse(string color)
    {
        var rgb = int.Parse(color.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (rgb >> 16, rgb >> 8 & 255, rgb & 255);
    }
}
