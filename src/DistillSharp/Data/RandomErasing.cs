namespace DistillSharp.Data;

/// <summary>What an erased area is filled with.</summary>
public enum ErasedFill
{
    /// <summary>0, black.</summary>
    Black,
    /// <summary>A value drawn for each channel of each pixel.</summary>
    Noise,
}

/// <summary>
/// An area of the image is blotted out, at a random place and of a random shape (torchvision's RandomErasing). Zhong, Zheng, Kang, Li,
/// Yang: Random Erasing Data Augmentation, AAAI 2020, arXiv 1708.04896.
/// </summary>
public sealed record RandomErasing : AugmentationStep
{
    const int Tries = 10;

    public override string Name => "random-erasing";

    /// <summary>How often an image is blotted.</summary>
    [Setting("how often an image is blotted", AtLeast = 0, AtMost = 1)]
    public double Probability { get; init; } = .5;

    /// <summary>The smallest share of the image that is blotted out.</summary>
    [Setting("smallest share of the image that is blotted out", Above = 0, Below = 1)]
    public double MinShare { get; init; } = .02;

    /// <summary>The largest share of the image that is blotted out.</summary>
    [Setting("largest share of the image that is blotted out", Above = 0, Below = 1)]
    public double MaxShare { get; init; } = .33;

    /// <summary>The longest area: height by width, or width by height.</summary>
    [Setting("longest area, as one side by the other", AtLeast = 1)]
    public double MaxRatio { get; init; } = 3.3;

    /// <summary>What the area is filled with.</summary>
    [Setting("what the area is filled with")]
    public ErasedFill Fill { get; init; }

    public override int? Variants => null;

    public override int Numbers => 2 * Tries + 4;

    public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
    {
        image.Pixels.CopyTo(destination);
        if (draw.Between(0, 1, 0) >= Probability || Area(height, width, draw) is not { } area) return;
        var (row, noise) = (area.Width * image.Channels, draw.Stream(2 * Tries + 3));
        for (var y = 0; y < area.Height; y++)
        {
            var erased = destination.Slice(((area.Top + y) * width + area.Left) * image.Channels, row);
            erased.Clear();
            for (var i = 0; Fill == ErasedFill.Noise && i < row; i++) erased[i] = (byte)noise.Below(256, y * row + i);
        }
    }

    /// <summary>The area of an image that a draw blots out; null where none of ten fits into it.</summary>
    internal ImageArea? Area(int height, int width, AugmentationDraw draw)
    {
        for (var i = 0; i < Tries; i++)
        {
            var area = (double)height * width * draw.Between(Math.Min(MinShare, MaxShare), MaxShare, 1 + 2 * i);
            var ratio = Math.Exp(draw.Between(Math.Log(1 / MaxRatio), Math.Log(MaxRatio), 2 + 2 * i));
            var (h, w) = ((int)Math.Round(Math.Sqrt(area * ratio)), (int)Math.Round(Math.Sqrt(area / ratio)));
            if (h < height && w < width)
                return new(draw.Below(height - h + 1, 2 * Tries + 1), draw.Below(width - w + 1, 2 * Tries + 2), h, w);
        }
        return null;
    }
}
