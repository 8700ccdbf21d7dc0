namespace DistillSharp.Data;

/// <summary>CIFAR's crop: black pixels are added on each side, and an area of the old size is cut out at a random place.</summary>
public sealed record PadAndCrop : AugmentationStep
{
    const int MaxPadding = 64;

    readonly int padding = 4;

    public override string Name => "crop";

    /// <summary>Black pixels added on each side before the crop: 0 to 64.</summary>
    /// <exception cref="UsageException">A value outside.</exception>
    [Setting("black pixels added on each side before the crop", AtLeast = 0, Below = MaxPadding + 1)]
    public int Padding
    {
        get => padding;
        init => padding = value is >= 0 and <= MaxPadding ? value
            : throw new UsageException($"a crop pads by 0 to {MaxPadding} pixels, not {value}");
    }

    int Places => 2 * Padding + 1;

    /// <summary>(2 * padding + 1)^2: all places for the crop, row by row.</summary>
    public override int? Variants => Places * Places;

    public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
    {
        var (rowBytes, pixel) = (image.Width * image.Channels, image.Channels);
        var (down, right) = (draw.Variant / Places - Padding, draw.Variant % Places - Padding);
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
        }
    }
}
