namespace DistillSharp.Data;

/// <summary>
/// The random crop of ImageNet's training (torchvision's RandomResizedCrop): an area of 8 % to 100 % of the image, its sides
/// in a ratio of 3:4 to 4:3, scaled to the network's size.
/// </summary>
public sealed record ResizedCrop : CropStep
{
    const int Tries = 10;

    public override string Name => "resized-crop";

    /// <summary>The smallest share of the image that is taken; the largest is all of it.</summary>
    [Setting("smallest share of the image that is taken", Above = 0, Below = 1)]
    public double MinShare { get; init; } = .08;

    /// <summary>The longest area: width by height, or height by width.</summary>
    [Setting("longest area, as one side by the other", AtLeast = 1)]
    public double MaxRatio { get; init; } = 4 / 3.0;

    public override int? Variants => null;

    public override int Numbers => 2 * Tries + 2;

    public override ImageArea Area(int height, int width, AugmentationDraw draw)
    {
        for (var i = 0; i < Tries; i++)
        {
            var area = (double)height * width * draw.Between(MinShare, 1, 2 * i);
            var ratio = Math.Exp(draw.Between(Math.Log(1 / MaxRatio), Math.Log(MaxRatio), 2 * i + 1));
            var (h, w) = ((int)Math.Round(Math.Sqrt(area / ratio)), (int)Math.Round(Math.Sqrt(area * ratio)));
            if (w <= 0 || w > width || h <= 0 || h > height) continue;
            return new(draw.Below(height - h + 1, 2 * Tries), draw.Below(width - w + 1, 2 * Tries + 1), h, w);
        }
        return Middle(height, width);
    }

    // For images too long for any ratio: as much of the middle as the ratio allows.
    ImageArea Middle(int height, int width)
    {
        var (ratio, least) = ((double)width / height, 1 / MaxRatio);
        var (h, w) = ratio < least ? ((int)Math.Round(width / least), width)
            : ratio > MaxRatio ? (height, (int)Math.Round(height * MaxRatio)) : (height, width);
        return new((height - h) / 2, (width - w) / 2, h, w);
    }
}
