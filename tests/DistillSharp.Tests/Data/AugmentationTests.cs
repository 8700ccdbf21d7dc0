using DistillSharp.Data;
using FsCheck;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Data;

public class AugmentationTests
{
    static readonly Augmentation cifar = Augmentation.CropAndFlip;

    [Fact]
    public void Draws_are_the_same_for_ever()
    {
        // Computed by a program of its own: a cache of teacher outputs and every published seed depend on these numbers.
        Assert.Equal(105, cifar.Variant(seed: 1, epoch: 0, index: 0));
        Assert.Equal((5, 7, true), SlowReference.Place(105, padding: 4, flip: true));
        Assert.Equal((52, 1), (new Augmentation(new PadAndCrop()).Variant(1, 0, 0), new Augmentation(new Flip()).Variant(1, 0, 0)));
        Assert.Equal([155, 69, 89, 149, 74, 143, 157, 142, 101, 123, 26, 38],
            Enumerable.Range(0, 12).Select(i => cifar.Variant(seed: 20230501, epoch: 17, index: i)));
    }

    [Theory]
    [InlineData(0, 1, 6, 288, 349, false)]
    [InlineData(17, 39, 61, 170, 225, true)]
    [InlineData(3999, 37, 52, 263, 327, true)]
    public void Areas_and_their_flips_are_the_same_for_ever(int index, int top, int left, int height, int width, bool flip)
    {
        var pixels = SmallFiles.Bytes(300 * 400 * 3, seed: 9);
        var image = new ImageView(pixels, 300, 400, 3);
        var area = ImageScaling.Scale(image, new(top, left, height, width), 16, 16);
        var mirrored = area.Chunk(48).SelectMany(row => row.Chunk(3).Reverse().SelectMany(pixel => pixel)).ToArray();
        Assert.Equal(area, Shown(new(new ResizedCrop()), image));
        Assert.Equal(flip ? mirrored : area, Shown(new(new ResizedCrop(), new Flip()), image));
        Assert.Equal(flip ? mirrored : area, Shown(new(new Flip(), new ResizedCrop()), image));

        byte[] Shown(Augmentation augmentation, ImageView image)
        {
            var shown = new byte[16 * 16 * 3];
            augmentation.Apply(image, seed: 5, epoch: 2, index, 16, 16, shown);
            return shown;
        }
    }

    /// <summary>
    /// An area of at most three quarters of a square fits whatever its ratio, so that among these the ratio is as it was drawn: the
    /// logarithm is uniform, and an area is as often wide as it is high. A uniform ratio would be wide in four of seven.
    /// </summary>
    [Fact]
    public void Ratios_of_areas_are_log_uniform()
    {
        const int side = 2000, draws = 20_000;
        var crop = new ResizedCrop();
        var random = KeyedRandom.For(KeyedRandom.Purpose.Augmentation, 7);
        var ratios = Enumerable.Range(0, draws).Select(i => crop.Area(side, side, new(random, i * crop.Numbers, null)))
            .Where(area => area.Height * area.Width < 0.74 * side * side)
                .Select(area => Math.Log((double)area.Width / area.Height) / Math.Log(4 / 3.0)).ToArray();
        Assert.InRange(ratios.Length, draws / 2, draws);
        Assert.InRange(ratios.Max(Math.Abs), 0.99, 1.01);
        // Uniform from -1 to 1: the deviation of a share of 14,000 is 0.004, of the mean 0.005.
        foreach (var quantile in new[] { 0.1, 0.25, 0.5, 0.75, 0.9 })
            Assert.InRange((double)ratios.Count(ratio => ratio < 2 * quantile - 1) / ratios.Length, quantile - 0.016, quantile + 0.016);
        Assert.InRange(ratios.Average(), -0.02, 0.02);
    }

    [Fact]
    public void A_draw_is_a_pure_function_of_its_three_numbers()
    {
        var law = Prop.ForAll<long, int, int>((seed, epoch, index) =>
        {
            var (e, i) = (epoch & int.MaxValue, index & int.MaxValue);
            return cifar.Variant(seed, e, i) is >= 0 and < 162 and var drawn
                && drawn == new Augmentation(new PadAndCrop(), new Flip()).Variant(seed, e, i);
        });
        law.QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Variants_are_equally_likely()
    {
        Assert.Equal(162, cifar.VariantCount);
        var seen = new int[162];
        const int draws = 162_000;
        for (var i = 0; i < draws; i++) seen[cifar.Variant(seed: 3, epoch: i / 50_000, index: i % 50_000)]++;
        // Chi-squared with 161 degrees of freedom: mean 161, deviation 18.
        var chi = seen.Sum(n => (n - 1000.0) * (n - 1000.0) / 1000);
        Assert.InRange(chi, 161 - 5 * 18, 161 + 5 * 18);
    }

    [Fact]
    public void Outcomes_are_counted_where_every_step_counts_its_own()
    {
        Assert.Equal(
            [1, 2, 81, 50],
            new[] { Augmentation.None, new(new Flip()), new(new PadAndCrop()), new(new PadAndCrop { Padding = 2 }, new Flip()) }.Select(
                a => a.VariantCount ?? -1));
        Assert.Null(new Augmentation(new ResizedCrop(), new Flip()).VariantCount);
        Assert.Equal(-1, new Augmentation(new ResizedCrop()).Variant(1, 1, 1));
        Assert.Equal((false, true), (cifar.TakesOriginals, new Augmentation(new ResizedCrop()).TakesOriginals));
    }

    [Fact]
    public void Every_variant_agrees_with_the_slow_way()
    {
        foreach (
            var (padding, flip, height, width, channels) in new[] {
                (4, true, 32, 32, 3), (4, true, 7, 5, 1), (4, true, 3, 2, 4), (6, true, 4, 5, 3), (0, true, 5, 8, 3), (2, false, 5, 8, 2) })
        {
            var augmentation = flip ? new Augmentation(new PadAndCrop { Padding = padding }, new Flip())
                : new Augmentation(new PadAndCrop { Padding = padding });
            var pixels = SmallFiles.Bytes(height * width * channels, seed: 5);
            var moved = new byte[pixels.Length];
            for (var variant = 0; variant < augmentation.VariantCount; variant++)
            {
                Array.Fill(moved, (byte)77);
                augmentation.Apply(new(pixels, height, width, channels), variant, moved);
                Assert.Equal(SlowReference.PadCropFlip(pixels, height, width, channels, padding, variant, flip), moved);
            }
        }
    }

    [Fact]
    public void A_step_of_ones_own_takes_its_turn_and_its_own_numbers()
    {
        var pixels = SmallFiles.Bytes(8 * 8 * 3, seed: 6);
        var (shown, seen) = (new byte[pixels.Length], new HashSet<byte>());
        for (var index = 0; index < 200; index++)
        {
            new Augmentation(new PadAndCrop { Padding = 0 }, new Brighter(), new Flip())
                .Apply(new(pixels, 8, 8, 3), seed: 1, epoch: 1, index, 8, 8, shown);
            var (kept, mirrored) = ((byte)(shown[0] - pixels[0]), (byte)(shown[0] - pixels[21]));
            var more = kept < 4 ? kept : mirrored;
            Assert.InRange(more, 0, 3);
            seen.Add(more);
        }
        Assert.Equal(4, seen.Count);
    }

    sealed record Brighter : AugmentationStep
    {
        public override string Name => "brighter";

        public override int? Variants => null;

        public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
        {
            var more = draw.Below(4, 0);
            for (var i = 0; i < destination.Length; i++) destination[i] = (byte)(image.Pixels[i] + more);
        }
    }

    [Fact]
    public void What_makes_no_sense_is_refused()
    {
        Assert.Equal(cifar, new Augmentation(new Flip(), new PadAndCrop()));
        Assert.NotEqual(cifar, new Augmentation(new PadAndCrop { Padding = 3 }, new Flip()));
        Assert.Equal(Augmentation.None, new Augmentation());
        Assert.Equal("augmentation 'crop' is listed twice", Refusal(new PadAndCrop(), new PadAndCrop { Padding = 2 }));
        Assert.Equal("augmentation has both crop and resized-crop; take one of them", Refusal(new ResizedCrop(), new PadAndCrop()));
        Assert.Equal(
            "augmentation 'resized-crop' takes the image as it is stored, and so must come before 'brighter'",
            Refusal(new Brighter(), new ResizedCrop()));
        Assert.Throws<UsageException>(() => new PadAndCrop { Padding = -1 });
        Assert.Throws<UsageException>(() => new PadAndCrop { Padding = 65 });
        Assert.Throws<ArgumentOutOfRangeException>(() => cifar.Apply(new([], 0, 0, 3), 162, []));

        static string Refusal(params AugmentationStep[] steps) => Assert.Throws<UsageException>(() => new Augmentation(steps)).Message;
    }
}
