using System.Globalization;
using System.Xml.Linq;
using DistillSharp.Experiments.Plots;

namespace DistillSharp.Tests.Experiments.Plots;

/// <summary>A text's place in a figure.</summary>
record TextBox(string Text, double Left, double Top, double Right, double Bottom)
{
    public bool Overlaps(TextBox other) =>
        Left < other.Right - 0.5 && other.Left < Right - 0.5 && Top < other.Bottom - 0.5 && other.Top < Bottom - 0.5;
}

/// <summary>Reads a figure back and checks what a look at it would: nothing outside, no text over another.</summary>
static class Layout
{
    public static XElement Parse(Figure figure) => XDocument.Parse(figure.Svg).Root!;

    public static List<XElement> All(Figure figure, string name) => [.. Parse(figure).Descendants().Where(e => e.Name.LocalName == name)];

    public static void Check(Figure figure)
    {
        var texts = Texts(figure);
        Assert.All(texts, t => Assert.True(t.Left >= 0 && t.Top >= 0 && t.Right <= figure.Width && t.Bottom <= figure.Height,
            $"'{t.Text}' leaves the figure of {figure.Width} x {figure.Height}: {t}"));
        for (var i = 0; i < texts.Count; i++)
            for (var j = i + 1; j < texts.Count; j++)
                Assert.False(texts[i].Overlaps(texts[j]), $"{texts[i]} overlaps {texts[j]}");
        foreach (var rectangle in All(figure, "rect").Where(r => r.Attribute("x") is not null))
            Assert.True(Number(rectangle, "x") >= 0 && Number(rectangle, "x") + Number(rectangle, "width") <= figure.Width
                && Number(rectangle, "y") + Number(rectangle, "height") <= figure.Height, rectangle.ToString());
        Assert.DoesNotContain("NaN", figure.Svg);
        Assert.DoesNotContain("∞", figure.Svg);
    }

    public static List<TextBox> Texts(Figure figure) => [.. All(figure, "text").Select(Box)];

    public static double Number(XElement element, string name) =>
        double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    static TextBox Box(XElement text)
    {
        var (x, y, size) = (Number(text, "x"), Number(text, "y"), Number(text, "font-size"));
        var width = TextWidth.Of(text.Value, size) * (text.Attribute("font-weight") is null ? 1 : 1.12);
        var start = text.Attribute("text-anchor")?.Value switch { "middle" => -width / 2, "end" => -width, _ => 0 };
        // Ascent and descent of digits and letters without accents.
        var (up, down) = (0.76 * size, 0.2 * size);
        if (text.Attribute("transform") is null) return new(text.Value, x + start, y - up, x + start + width, y + down);
        Assert.StartsWith("rotate(-90 ", text.Attribute("transform")!.Value);
        return new(text.Value, x - up, y - start - width, x + down, y - start);
    }
}
