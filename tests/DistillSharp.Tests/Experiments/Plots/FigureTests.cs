using System.Buffers.Binary;
using DistillSharp.Experiments.Plots;

namespace DistillSharp.Tests.Experiments.Plots;

public class FigureTests
{
    static readonly Figure figure = new LineChart
    {
        XLabel = "epoch", YLabel = "test Acc1 (%)", Series = [new("ä → ± & <x>", [1, 2], [3, 4])],
    }.Draw();

    [ConverterFact]
    public void A_png_has_the_zoomed_size()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((figure.Width * 2, figure.Height * 2), figure.Save(folder["picture.png"], zoom: 2));
        var png = File.ReadAllBytes(folder["picture.png"]);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], png[..4]);
        Assert.Equal((figure.Width * 2, figure.Height * 2),
            (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))));
    }

    [ConverterFact]
    public void What_the_converter_cannot_draw_is_an_error_and_leaves_no_file()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(Figure.Converter, Assert.Throws<UserException>(() => new Figure("<svg", 1, 1).Save(folder["x.png"])).Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_missing_converter_is_named_with_its_package()
    {
        var error = Assert.Throws<UserException>(() => figure.ToPng(converter: "no-such-converter"));
        Assert.Contains("no-such-converter", error.Message);
        Assert.Contains("librsvg2-bin", error.Message);
    }

    [Fact]
    public void An_svg_is_written_as_it_is_and_another_ending_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal((figure.Width, figure.Height), figure.Save(folder["picture.svg"]));
        Assert.Equal(figure.Svg, File.ReadAllText(folder["picture.svg"]));
        Assert.Contains(".svg or .png", Assert.Throws<UsageException>(() => figure.Save(folder["picture.pdf"])).Message);
        Assert.Single(Directory.GetFiles(folder.Path));
    }
}
