using DistillSharp.Data;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Data;

/// <summary>A crop decodes no more of a photograph than it shows: exactly the same pixels, or nearly the same where it is scaled.</summary>
public sealed class PhotographCropTests
{
    static readonly PhotographReader exact = new(Scaled: false, Upright: false), scaled = new(Scaled: true, Upright: false);

    static ImageArea AnyArea(Random random, int height, int width)
    {
        var (h, w) = (random.Next(1, height + 1), random.Next(1, width + 1));
        return new(random.Next(height - h + 1), random.Next(width - w + 1), h, w);
    }

    static byte[] Crop(PhotographReader reader, byte[] file, ImageArea area, int side)
    {
        var result = new byte[side * side * 3];
        reader.Crop(file, "a photograph", (_, _) => area, side, side, result);
        return result;
    }

    static string[] Photographs() => [.. ImageFiles.In(SharedFiles.Path("data/jpeg"))];

    [SharedFact]
    public void An_exact_crop_is_that_of_the_whole_photograph()
    {
        var random = new Random(1);
        foreach (var path in Photographs())
        {
            var file = File.ReadAllBytes(path);
            var image = ImageFiles.Read(path);
            for (var i = 0; i < 3; i++)
            {
                var area = AnyArea(random, image.Height, image.Width);
                Assert.Equal(
                    ImageScaling.Scale(new(image.Pixels, image.Height, image.Width, 3), area, 32, 32), Crop(exact, file, area, 32));
            }
        }
    }

    [SharedFact]
    public void A_scaled_crop_is_nearly_that_of_the_whole_photograph()
    {
        var (sum, moved, count, differ) = (0, 0, 0, 0);
        foreach (var path in Photographs())
        {
            var file = File.ReadAllBytes(path);
            var (height, width) = ImageCodec.Size(file);
            ImageArea area = new(height / 9, width / 7, height * 3 / 4, width * 3 / 4);
            var (expected, actual) = (Crop(exact, file, area, 64), Crop(scaled, file, area, 64));
            sum += Difference(expected, actual);
            moved += Difference(expected, Crop(exact, file, area with { Left = area.Left + 2 }, 64));
            count += expected.Length;
            if (!expected.AsSpan().SequenceEqual(actual)) differ++;
        }
        // Two stored pixels are half of one at a quarter, the usual scale here: a box rounded to whole pixels would show.
        Assert.InRange(sum, 1, moved / 2);
        Assert.InRange(sum / (double)count, .01, 1.5);
        Assert.InRange(differ, 40, 60);

        static int Difference(byte[] one, byte[] other) => one.Zip(other).Sum(pair => Math.Abs(pair.First - pair.Second));
    }

    [SharedFact]
    public void Crops_less_than_twice_as_large_as_wanted_are_exact()
    {
        var file = File.ReadAllBytes(Photographs()[0]);
        ImageArea area = new(3, 5, 127, 127);
        Assert.Equal(Crop(exact, file, area, 64), Crop(scaled, file, area, 64));
        Assert.NotEqual(
            Crop(exact, file, area with { Height = 128, Width = 128 }, 64),
            Crop(scaled, file, area with { Height = 128, Width = 128 }, 64));
    }

    [SharedTheory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Upright_photographs_are_those_of_Pillows_exif_transpose(int orientation)
    {
        var plain = File.ReadAllBytes(Photographs()[1]);
        var file = Oriented(plain, orientation);
        var (stored, upright) = (exact.Read(plain, ""), new PhotographReader(false, Upright: true).Read(file, ""));
        var swapped = orientation >= 5;
        Assert.Equal(swapped ? (stored.Width, stored.Height) : (stored.Height, stored.Width), (upright.Height, upright.Width));
        // The corner that EXIF's table names: "the 0th row is the visual ..., the 0th column the visual ...".
        var (y, x) = orientation switch
        {
            1 or 5 => (0, 0),
            2 or 6 => (0, upright.Width - 1),
            3 or 7 => (upright.Height - 1, upright.Width - 1),
            _ => (upright.Height - 1, 0),
        };
        Assert.Equal(stored.Pixels[..3], upright.Pixels.AsSpan((y * upright.Width + x) * 3, 3).ToArray());
        // The pixel right of it in the file.
        (y, x) = (swapped, x, y) switch
        {
            (false, 0, _) => (y, 1),
            (false, _, _) => (y, x - 1),
            (true, _, 0) => (1, x),
            (true, _, _) => (y - 1, x),
        };
        Assert.Equal(stored.Pixels[3..6], upright.Pixels.AsSpan((y * upright.Width + x) * 3, 3).ToArray());
        Assert.Equal(exact.Read(file, "").Pixels, stored.Pixels);

        ImageArea area = new(21, 34, 200, 133);
        var whole = ImageScaling.Scale(new(upright.Pixels, upright.Height, upright.Width, 3), area, 40, 40);
        Assert.Equal(whole, Crop(new(false, Upright: true), file, area, 40));
        var near = Crop(new(Scaled: true, Upright: true), file, area, 40);
        Assert.InRange(whole.Zip(near).Average(pair => Math.Abs(pair.First - pair.Second)), .01, 2);
    }

    // With an EXIF segment in front of all others.
    static byte[] Oriented(byte[] jpeg, int orientation) =>
    [
        .. jpeg[..2], 0xff, 0xe1, 0, 34, .. "Exif\0\0MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0,
            0, 0, 0, 0,
        .. jpeg[2..],
    ];

    [Fact]
    public void Broken_exif_data_turns_nothing()
    {
        byte[] file =
            [0xff, 0xd8, 0xff, 0xe1, 0, 34, .. "Exif\0\0II"u8, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
                0xff, 0xda];
        Assert.False(Orientation.Of(file).IsStored);
        for (var length = 0; length < 34; length++) Assert.True(Orientation.Of(file.AsSpan(0, length)).IsStored);
        for (var at = 0; at < file.Length; at++)
            for (var value = 0; value < 256; value += 5)
                Assert.InRange(Orientation.Of([.. file[..at], (byte)value, .. file[(at + 1)..]]).Size(2, 3).Height, 2, 3);
    }

    [SharedFact]
    public void Damage_before_the_crops_end_is_reported()
    {
        var file = File.ReadAllBytes(Photographs()[0]);
        var cut = file[..(file.Length / 2)];
        var (height, width) = ImageCodec.Size(file);
        Assert.Equal(Crop(exact, file, new(0, 0, height / 8, width), 16), Crop(exact, cut, new(0, 0, height / 8, width), 16));
        var failure = Assert.Throws<DamagedImageException>(() => Crop(exact, cut, new(0, 0, height, width), 16));
        Assert.StartsWith("'a photograph' is a damaged JPEG image: ", failure.Message);
    }
}
