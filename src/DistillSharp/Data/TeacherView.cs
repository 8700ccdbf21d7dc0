namespace DistillSharp.Data;

/// <summary>
/// Makes a teacher's images beside the student's. Where an augmentation cuts an area out of the stored image, the same area is
/// scaled to the teacher's size; else the student's finished image is.
/// </summary>
sealed class TeacherView
{
    readonly Normalization normalization;
    readonly ImageSet unchanged;
    readonly bool sameSize;

    /// <exception cref="UsageException">The teacher's normalization is of other channels than the images.</exception>
    public TeacherView(TeacherInput input, ImageSet images, Normalization students)
    {
        normalization = new(input.Mean ?? [.. students.Mean], input.Std ?? [.. students.Std]);
        if (normalization.Channels != images.Channels)
            throw new UsageException(
                $"the teacher's normalization has {normalization.Channels} channels, but the images have {images.Channels}");
        unchanged = input.Size is { } size ? images.AtSize(size) : images;
        sameSize = (unchanged.Height, unchanged.Width) == (images.Height, images.Width);
    }

    public int Height => unchanged.Height;

    public int Width => unchanged.Width;

    /// <inheritdoc cref="ImageSet.Room"/>
    public Tensor Room(int count) => unchanged.Room(count);

    /// <summary>Makes one image, from the student's before it is normalized.</summary>
    public void Make(int index, int epoch, ImageView finished, Augmentation augmentation, long seed, Span<float> destination)
    {
        if (sameSize) normalization.Apply(finished.Pixels, destination);
        else if (augmentation.Steps.Count == 0) normalization.Apply(unchanged.Image(index).Pixels, destination);
        else if (augmentation.TakesOriginals)
        {
            var own = new byte[destination.Length];
            augmentation.Apply(unchanged, seed, epoch, index, own);
            normalization.Apply(own, destination);
        }
        else normalization.Apply(ImageScaling.Scale(finished, ImageArea.Of(finished), unchanged.Height, unchanged.Width), destination);
    }
}
