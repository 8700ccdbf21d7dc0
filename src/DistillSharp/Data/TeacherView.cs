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

    /// <param name="input">What the teacher takes.</param>
    /// <param name="images">The images as the student sees them.</param>
    /// <param name="students">How they are normalized.</param>
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

    /// <summary>Rows of the teacher's images.</summary>
    public int Height => unchanged.Height;

    /// <summary>Columns of the teacher's images.</summary>
    public int Width => unchanged.Width;

    /// <summary>Room for the images of a batch: float32 [N, C, H, W], channels last.</summary>
    public Tensor NewImages(int count) => Tensor.Empty(
        [count, unchanged.Channels, unchanged.Height, unchanged.Width], DType.Float32, format: MemoryFormat.ChannelsLast).Unscoped();

    /// <summary>Makes one image.</summary>
    /// <param name="index">Its position in the set.</param>
    /// <param name="epoch">The epoch, which together with the seed decides what was done to it.</param>
    /// <param name="finished">The student's, before it is normalized.</param>
    /// <param name="augmentation">What was done to it.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="destination">Its place among the teacher's.</param>
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
