using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

/// <summary>
/// Random erasing against its definition: how often, what share of the image, of what shape, where, and with what
/// (TorchvisionTests holds its boxes and pixels to torchvision's).
/// </summary>
public class RandomErasingTests
{
    const int Height = 100, Width = 90, Draws = 8_000;

    // Large, so that rounding the sides to whole pixels shows in nothing.
    const int Tall = 1000, Broad = 900;

    // Of these shares and shapes any area fits, so that none is drawn again.
    static readonly RandomErasing always = new() { Probability = 1, MinShare = .05, MaxShare = .3, MaxRatio = 2 };

    static AugmentationDraw Draw(int index) =>
        new(KeyedRandom.For(KeyedRandom.Purpose.Augmentation, seed: 5), unchecked(index * always.Numbers), null);

    static ImageArea[] Areas { get; } = [.. Enumerable.Range(0, Draws).Select(i => always.Area(Tall, Broad, Draw(i))!.Value)];

    // In each tenth of the range as many as in any other, within four deviations.
    static void AssertEven(IEnumerable<double> values, double low, double high)
    {
        var tenths = values.Select(value => Math.Clamp((int)((value - low) / (high - low) * 10), 0, 9)).GroupBy(tenth => tenth)
            .ToDictionary(group => group.Key, group => group.Count());
        var expected = Draws / 10.0;
        for (var tenth = 0; tenth < 10; tenth++)
            Assert.InRange(tenths.GetValueOrDefault(tenth), expected - 4 * Math.Sqrt(expected), expected + 4 * Math.Sqrt(expected));
    }

    [Fact]
    public void Shares_of_the_image_are_even_between_the_two() => AssertEven(
        Areas.Select(area => area.Height * area.Width / (double)(Tall * Broad)),
        always.MinShare, always.MaxShare);

    [Fact]
    public void Shapes_are_even_in_their_logarithm_between_flat_and_tall() => AssertEven(
        Areas.Select(area => Math.Log((double)area.Height / area.Width)), -Math.Log(2), Math.Log(2));

    [Fact]
    public void Places_are_even_over_all_where_the_area_fits()
    {
        AssertEven(Areas.Select(area => (area.Top + .5) / (Tall - area.Height + 1)), 0, 1);
        AssertEven(Areas.Select(area => (area.Left + .5) / (Broad - area.Width + 1)), 0, 1);
        Assert.All(Areas, area => Assert.True(area is { Top: >= 0, Left: >= 0 }
            && area.Top + area.Height <= Tall && area.Left + area.Width <= Broad));
        Assert.Contains(Areas, area => area.Top == 0);
        Assert.Contains(Areas, area => area.Top + area.Height == Tall);
        Assert.Contains(Areas, area => area.Left + area.Width == Broad);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(.25)]
    [InlineData(1)]
    public void It_happens_as_often_as_is_said(double probability)
    {
        const int side = 12, images = 3_000;
        var step = always with { Probability = probability };
        var white = Enumerable.Repeat((byte)255, side * side).ToArray();
        var result = new byte[white.Length];
        var erased = 0;
        for (var i = 0; i < images; i++)
        {
            step.Apply(new(white, side, side, 1), Draw(i), side, side, result);
            if (result.Contains((byte)0)) erased++;
        }
        var deviation = Math.Sqrt(images * probability * (1 - probability));
        Assert.InRange(erased, probability * images - 4 * deviation, probability * images + 4 * deviation);
    }

    [Theory]
    [InlineData(ErasedFill.Black)]
    [InlineData(ErasedFill.Noise)]
    public void The_area_alone_is_filled(ErasedFill fill)
    {
        var step = always with { Fill = fill };
        var image = SmallFiles.Bytes(Height * Width * 3, 9);
        var result = new byte[image.Length];
        for (var i = 0; i < 20; i++)
        {
            step.Apply(new(image, Height, Width, 3), Draw(i), Height, Width, result);
            var area = always.Area(Height, Width, Draw(i))!.Value;
            var inside = new List<byte>();
            for (var at = 0; at < image.Length; at++)
            {
                var (y, x) = (at / 3 / Width - area.Top, at / 3 % Width - area.Left);
                if (y >= 0 && y < area.Height && x >= 0 && x < area.Width) inside.Add(result[at]);
                else Assert.Equal(image[at], result[at]);
            }
            Assert.Equal(area.Height * area.Width * 3, inside.Count);
            if (fill == ErasedFill.Black) Assert.All(inside, value => Assert.Equal(0, value));
            else
            {
                // Even over 0..255, whose deviation is 73.9.
                Assert.Equal(127.5, inside.Average(value => value), 4 * 73.9 / Math.Sqrt(inside.Count));
                var deviation = Math.Sqrt(inside.Average(value => (value - 127.5) * (value - 127.5)));
                Assert.Equal(73.9, deviation, 4 * 73.9 / Math.Sqrt(inside.Count));
            }
        }
        // Another image has other noise.
        if (fill == ErasedFill.Noise)
        {
            var other = new byte[image.Length];
            step.Apply(new(image, Height, Width, 3), Draw(19), Height, Width, result);
            step.Apply(new(image, Height, Width, 3), Draw(18), Height, Width, other);
            Assert.NotEqual(result, other);
        }
    }

    [Fact]
    public void An_area_that_fits_nowhere_is_left_out()
    {
        var step = new RandomErasing { Probability = 1, MinShare = .9, MaxShare = .95, MaxRatio = 1 };
        var image = SmallFiles.Bytes(6 * 60, 9);
        var result = new byte[image.Length];
        step.Apply(new(image, 6, 60, 1), Draw(1), 6, 60, result);
        Assert.Equal(image, result);
    }
}
