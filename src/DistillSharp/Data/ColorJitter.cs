namespace DistillSharp.Data;

/// <summary>
/// Brightness, contrast, saturation and hue are each changed by a random factor, in a random order (torchvision's ColorJitter on
/// Pillow images).
/// </summary>
public sealed record ColorJitter : AugmentationStep
{
    const int Kinds = 4;

    public override string Name => "color-jitter";

    /// <summary>The factor of the brightness lies within 1 plus or minus this.</summary>
    [Setting("brightness is changed by a factor within 1 plus or minus this", AtLeast = 0)]
    public double Brightness { get; init; } = .4;

    /// <summary>The factor of the contrast lies within 1 plus or minus this.</summary>
    [Setting("contrast is changed by a factor within 1 plus or minus this", AtLeast = 0)]
    public double Contrast { get; init; } = .4;

    /// <summary>The factor of the saturation lies within 1 plus or minus this.</summary>
    [Setting("saturation is changed by a factor within 1 plus or minus this", AtLeast = 0)]
    public double Saturation { get; init; } = .4;

    /// <summary>The hue is turned by up to this share of the circle, either way: 0 to 0.5.</summary>
    [Setting("hue is turned by up to this share of the circle, either way", AtLeast = 0, AtMost = .5)]
    public double Hue { get; init; } = .1;

    public override int? Variants => null;

    public override int Numbers => 2 * Kinds - 1;

    public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
    {
        Span<int> order = [0, 1, 2, 3];
        for (var i = Kinds - 1; i > 0; i--)
        {
            var other = draw.Below(i + 1, Kinds + i - 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        Apply(image, order, Factor(Brightness, 0), Factor(Contrast, 1), Factor(Saturation, 2), draw.Between(-Hue, Hue, 3), destination);

        double Factor(double reach, int number) => draw.Between(Math.Max(0, 1 - reach), 1 + reach, number);
    }

    /// <summary>The changes, in an order: 0 for brightness, 1 contrast, 2 saturation, 3 hue. A setting of 0 leaves its own out.</summary>
    internal void Apply(
        ImageView image, ReadOnlySpan<int> order, double brightness, double contrast, double saturation, double hue, Span<byte> destination)
    {
        var (from, to) = (image.Pixels.ToArray(), new byte[destination.Length]);
        foreach (var kind in order)
        {
            var view = new ImageView(from, image.Height, image.Width, image.Channels);
            if (kind == 0 && Brightness > 0) ColorChange.Brightness(view, brightness, to);
            else if (kind == 1 && Contrast > 0) ColorChange.Contrast(view, contrast, to);
            else if (kind == 2 && Saturation > 0) ColorChange.Saturation(view, saturation, to);
            else if (kind == 3 && Hue > 0) ColorChange.Hue(view, hue, to);
            else continue;
            (from, to) = (to, from);
        }
        from.CopyTo(destination);
    }
}
