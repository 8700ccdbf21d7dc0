namespace DistillSharp.Data;

/// <summary>
/// The random crop of ImageNet's training (torchvision's RandomResizedCrop): an area of 8 % to 100 % of the image, its sides
/// in a ratio of 3:4 to 4:3, scaled to the network's size. A pure function of (seed, epoch, index).
/// </summary>
static class ResizedCrop
{
    const double MinShare = .08, MaxRatio = 4 / 3.0, MinRatio = 3 / 4.0;
    const int Tries = 10, NumbersOfAnImage = 2 * Tries + 3;

    /// <summary>The area of an image, and whether it is then mirrored (where flips are wanted).</summary>
    public static (ImageArea Area, bool Flip) Draw(int height, int width, long seed, int epoch, int index)
    {
        var random = KeyedRandom.For(KeyedRandom.Purpose.Augmentation, seed, epoch);
        var first = unchecked(index * NumbersOfAnImage);
        return (Area(height, width, random, first), random.Below(2, unchecked(first + NumbersOfAnImage - 1)) == 1);
    }

    static ImageArea Area(int height, int width, KeyedRandom random, int first)
    {
        for (var i = 0; i < Tries; i++)
        {
            var area = (double)height * width * Between(MinShare, 1, random[unchecked(first + 2 * i)]);
            var ratio = Math.Exp(Between(Math.Log(MinRatio), Math.Log(MaxRatio), random[unchecked(first + 2 * i + 1)]));
            var (h, w) = ((int)Math.Round(Math.Sqrt(area / ratio)), (int)Math.Round(Math.Sqrt(area * ratio)));
            if (w <= 0 || w > width || h <= 0 || h > height) continue;
            return new(random.Below(height - h + 1, unchecked(first + 2 * Tries)), random.Below(width - w + 1, unchecked(first + 2 * Tries + 1)), h, w);
        }
        return Middle(height, width);
    }

    // For images too long for any ratio: as much of the middle as the ratio allows.
    static ImageArea Middle(int height, int width)
    {
        var ratio = (double)width / height;
        var (h, w) = ratio < MinRatio ? ((int)Math.Round(width / MinRatio), width)
            : ratio > MaxRatio ? (height, (int)Math.Round(height * MaxRatio)) : (height, width);
        return new((height - h) / 2, (width - w) / 2, h, w);
    }

    static double Between(double low, double high, ulong bits) => low + (high - low) * ((bits >> 11) * (1.0 / (1L << 53)));
}
