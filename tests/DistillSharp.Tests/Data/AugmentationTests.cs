using DistillSharp.Data;
using FsCheck;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Data;

public class AugmentationTests
{
    static readonly Augmentation cifar = Augmentation.CropAndFlip;

    [Fact]
    public void Draw_IsTheSameForEver()
    {
        // Computed by a program of its own: a cache of teacher outputs and every published seed depend on these numbers.
        Assert.Equal(new AugmentationDraw(Variant: 105, OffsetY: 5, OffsetX: 7, Flip: true), cifar.Draw(seed: 1, epoch: 0, index: 0));
        Assert.Equal([155, 69, 89, 149, 74, 143, 157, 142, 101, 123, 26, 38],
            Enumerable.Range(0, 12).Select(i => cifar.Draw(seed: 20230501, epoch: 17, index: i).Variant));
    }

    [Fact]
    public void Draw_IsAPureFunctionOfItsThreeNumbers()
    {
        var law = Prop.ForAll<long, int, int>((seed, epoch, index) =>
        {
            var (e, i) = (epoch & int.MaxValue, index & int.MaxValue);
            var draw = cifar.Draw(seed, e, i);
            return draw == new Augmentation { Padding = 4, Flip = true }.Draw(seed, e, i)
                && draw == cifar.Variant(draw.Variant)
                && draw.Variant is >= 0 and < 162 && draw.OffsetY is >= 0 and <= 8 && draw.OffsetX is >= 0 and <= 8;
        });
        law.QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Variants_AreAllDifferentAndEquallyLikely()
    {
        Assert.Equal(162, cifar.VariantCount);
        Assert.Equal(162, Enumerable.Range(0, 162).Select(v => cifar.Variant(v) with { Variant = 0 }).Distinct().Count());

        var seen = new int[162];
        const int draws = 162_000;
        for (var i = 0; i < draws; i++) seen[cifar.Draw(seed: 3, epoch: i / 50_000, index: i % 50_000).Variant]++;
        // Chi-squared with 161 degrees of freedom: mean 161, deviation 18.
        var chi = seen.Sum(n => (n - 1000.0) * (n - 1000.0) / 1000);
        Assert.InRange(chi, 161 - 5 * 18, 161 + 5 * 18);
    }

    [Theory]
    [InlineData(0, false, 1)]
    [InlineData(0, true, 2)]
    [InlineData(4, false, 81)]
    [InlineData(2, true, 50)]
    public void VariantCount_CountsPlacesAndSides(int padding, bool flip, int count) =>
        Assert.Equal(count, new Augmentation { Padding = padding, Flip = flip }.VariantCount);

    [Fact]
    public void Apply_AgreesWithTheSlowWay_ForEveryVariant()
    {
        foreach (var (augmentation, height, width, channels) in new[]
        {
            (cifar, 32, 32, 3), (cifar, 7, 5, 1), (cifar, 3, 2, 4), (new Augmentation { Padding = 6, Flip = true }, 4, 5, 3),
            (new Augmentation { Flip = true }, 5, 8, 3), (Augmentation.None, 5, 8, 2),
        })
        {
            var pixels = SmallFiles.Bytes(height * width * channels, seed: 5);
            var image = new ImageView(pixels, height, width, channels);
            var moved = new byte[pixels.Length];
            for (var variant = 0; variant < augmentation.VariantCount; variant++)
            {
                Array.Fill(moved, (byte)77);
                var draw = augmentation.Variant(variant);
                augmentation.Apply(image, draw, moved);
                Assert.Equal(SlowReference.PadCropFlip(pixels, height, width, channels, augmentation.Padding, draw), moved);
            }
        }
    }

    [Fact]
    public void Unchanged_LeavesTheImageAsItIs()
    {
        var pixels = SmallFiles.Bytes(32 * 32 * 3, seed: 6);
        foreach (var augmentation in new[] { cifar, Augmentation.None, new() { Padding = 2 }, new() { Flip = true } })
        {
            var moved = new byte[pixels.Length];
            augmentation.Apply(new(pixels, 32, 32, 3), augmentation.Unchanged, moved);
            Assert.Equal(pixels, moved);
        }
    }

    [Fact]
    public void FromNames_KnowsCropAndFlip()
    {
        Assert.Equal(cifar, Augmentation.FromNames(["flip", "crop"]));
        Assert.Equal(Augmentation.None, Augmentation.FromNames([]));
        Assert.Equal(new Augmentation { Flip = true }, Augmentation.FromNames(["flip"]));
        Assert.Equal("unknown augmentation 'flop'; there are crop, resized-crop and flip", Assert.Throws<UsageException>(() => Augmentation.FromNames(["flop"])).Message);
        Assert.Equal("augmentation 'crop' is listed twice", Assert.Throws<UsageException>(() => Augmentation.FromNames(["crop", "crop"])).Message);
        Assert.Throws<UsageException>(() => new Augmentation { Padding = -1 });
        Assert.Throws<UsageException>(() => new Augmentation { Padding = 65 });
    }
}
