namespace DistillSharp.Data;

/// <summary>What is done to one image in one epoch.</summary>
/// <param name="Variant">Number of this outcome among all that the augmentation can have; the key of a cache of teacher outputs.</param>
/// <param name="OffsetY">First row of the crop in the padded image: 0..2 * padding.</param>
/// <param name="OffsetX">First column of the crop in the padded image: 0..2 * padding.</param>
/// <param name="Flip">Whether the crop is then mirrored left to right.</param>
public readonly record struct AugmentationDraw(int Variant, int OffsetY, int OffsetX, bool Flip);

/// <summary>
/// The random part of preparing a training image: pad with black, crop at a random place back to the old size, mirror half
/// of the time. What happens to an image is a pure function of (seed, epoch, index), so neither the order of the images nor
/// the number of threads or processes changes it.
/// </summary>
public sealed record Augmentation
{
    const int MaxPadding = 64;

    /// <summary>Nothing is done: one variant.</summary>
    public static Augmentation None { get; } = new();

    /// <summary>The protocol of CIFAR: padding 4, then a flip.</summary>
    public static Augmentation CropAndFlip { get; } = new() { Padding = 4, Flip = true };

    readonly int padding;

    /// <summary>Black pixels added on each side before the crop: 0 (no crop) to 64.</summary>
    /// <exception cref="UsageException">A value outside.</exception>
    public int Padding
    {
        get => padding;
        init => padding = value is >= 0 and <= MaxPadding ? value
            : throw new UsageException($"a crop pads by 0 to {MaxPadding} pixels, not {value}");
    }

    /// <summary>Whether images are mirrored left to right with probability 1/2.</summary>
    public bool Flip { get; init; }

    /// <summary>
    /// Whether a random area of 8 % to 100 % of the image, of a ratio of 3:4 to 4:3, is scaled to the network's size, instead
    /// of padding and cropping: the protocol of ImageNet.
    /// </summary>
    public bool ResizedCrop { get; init; }

    /// <summary>How many outcomes there are, (2 * padding + 1)^2 times 2 with flip; null where they cannot be counted.</summary>
    public int? VariantCount => ResizedCrop ? null : Side * Side * (Flip ? 2 : 1);

    int Side => 2 * Padding + 1;

    /// <summary>From a recipe's list: <c>crop</c> (padding 4) or <c>resized-crop</c>, <c>flip</c>, or nothing.</summary>
    /// <exception cref="UsageException">An unknown name, one given twice, or two kinds of crop.</exception>
    public static Augmentation FromNames(IEnumerable<string> names)
    {
        var seen = new HashSet<string>();
        foreach (var name in names)
        {
            if (name is not ("crop" or "resized-crop" or "flip")) throw new UsageException($"unknown augmentation '{name}'; there are crop, resized-crop and flip");
            if (!seen.Add(name)) throw new UsageException($"augmentation '{name}' is listed twice");
        }
        if (seen.IsSupersetOf(["crop", "resized-crop"])) throw new UsageException("augmentation has both crop and resized-crop; take one of them");
        return new() { Padding = seen.Contains("crop") ? CropAndFlip.Padding : 0, ResizedCrop = seen.Contains("resized-crop"), Flip = seen.Contains("flip") };
    }

    /// <summary>What happens to image <paramref name="index"/> in <paramref name="epoch"/>; every variant is equally likely.</summary>
    public AugmentationDraw Draw(long seed, int epoch, int index) =>
        Variant(KeyedRandom.For(KeyedRandom.Purpose.Augmentation, seed, epoch).Below(VariantCount!.Value, index));

    /// <summary>The outcome with a number in 0..<see cref="VariantCount"/>-1.</summary>
    public AugmentationDraw Variant(int variant)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)variant, (uint)VariantCount!.Value, nameof(variant));
        var (place, flip) = Flip ? (variant >> 1, (variant & 1) == 1) : (variant, false);
        return new(variant, place / Side, place % Side, flip);
    }

    /// <summary>The one outcome that leaves the image as it is: crop in the middle, no flip.</summary>
    public AugmentationDraw Unchanged => Variant((Padding * Side + Padding) * (Flip ? 2 : 1));

    /// <summary>Carries out a draw on bytes.</summary>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="draw">One of this augmentation's draws.</param>
    /// <param name="destination">[H, W, C] of the same size.</param>
    public void Apply(ImageView image, AugmentationDraw draw, Span<byte> destination)
    {
        var (rowBytes, pixel) = (image.Width * image.Channels, image.Channels);
        var (down, right) = (draw.OffsetY - Padding, draw.OffsetX - Padding);
        var left = Math.Clamp(-right, 0, image.Width) * pixel;
        var skipped = Math.Clamp(right, 0, image.Width) * pixel;
        var kept = Math.Max(0, image.Width - Math.Abs(right)) * pixel;
        for (var y = 0; y < image.Height; y++)
        {
            var row = destination.Slice(y * rowBytes, rowBytes);
            var from = y + down;
            if ((uint)from >= (uint)image.Height)
            {
                row.Clear();
                continue;
            }
            row[..left].Clear();
            image.Pixels.Slice(from * rowBytes + skipped, kept).CopyTo(row[left..]);
            row[(left + kept)..].Clear();
            if (draw.Flip) PixelRows.Mirror(row, pixel);
        }
    }

    /// <summary>Carries <see cref="ResizedCrop"/> out: what happens to image <paramref name="index"/> in <paramref name="epoch"/>.</summary>
    /// <param name="original">The image as stored, [H, W, C].</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="index">The image's position in its set.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="destination">[height, width, C].</param>
    internal void Apply(ImageView original, long seed, int epoch, int index, int height, int width, Span<byte> destination)
    {
        var (area, flip) = Data.ResizedCrop.Draw(original.Height, original.Width, seed, epoch, index);
        ImageScaling.Scale(original, area, height, width).CopyTo(destination);
        if (!Flip || !flip) return;
        var row = width * original.Channels;
        for (var y = 0; y < height; y++) PixelRows.Mirror(destination.Slice(y * row, row), original.Channels);
    }
}
