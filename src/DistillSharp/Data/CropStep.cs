namespace DistillSharp.Data;

/// <summary>
/// A step that takes an area of the image as it was stored and scales it to the network's size, and does nothing else. Of a photograph
/// no more is decoded than the area.
/// </summary>
public abstract record CropStep : AugmentationStep
{
    public sealed override bool TakesOriginal => true;

    /// <summary>The area of an image that a draw takes. May be called from several threads at once.</summary>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="draw">What was drawn for it.</param>
    public abstract ImageArea Area(int height, int width, AugmentationDraw draw);

    public sealed override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination) =>
        ImageScaling.Scale(image, Area(image.Height, image.Width, draw), height, width, destination);
}
