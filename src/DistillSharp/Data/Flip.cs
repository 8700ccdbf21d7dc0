namespace DistillSharp.Data;

/// <summary>Images are mirrored left to right, half of the time.</summary>
public sealed record Flip : AugmentationStep
{
    public override string Name => "flip";

    public override int? Variants => 2;

    public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
    {
        image.Pixels.CopyTo(destination);
        if (draw.Variant == 0) return;
        var row = width * image.Channels;
        for (var y = 0; y < height; y++) PixelRows.Mirror(destination.Slice(y * row, row), image.Channels);
    }
}
