namespace DistillSharp.Data;

/// <summary>
/// Labeled images, all of them in memory as bytes, channels last. A set whose images are decoded when they are asked for
/// overrides <see cref="Image"/>.
/// </summary>
public class ImageSet
{
    readonly byte[] pixels;
    readonly int[] labels;

    /// <summary>Takes over the arrays; the caller no longer writes to them.</summary>
    /// <param name="pixels">[N, H, W, C], row-major.</param>
    /// <param name="height">Rows of every image.</param>
    /// <param name="width">Columns of every image.</param>
    /// <param name="channels">Values of one pixel.</param>
    /// <param name="labels">[N], each an index into <paramref name="classNames"/>.</param>
    /// <param name="classNames">One name for each class.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together, there is no image, or a label names no class.</exception>
    public ImageSet(byte[] pixels, int height, int width, int channels, int[] labels, IReadOnlyList<string> classNames)
        : this(height, width, channels, labels, classNames)
    {
        if (pixels.LongLength != (long)labels.Length * ImageBytes)
            throw new ArgumentException($"{labels.Length} images of {height}x{width}x{channels} take {(long)labels.Length * ImageBytes} "
                + $"bytes, not {pixels.LongLength}", nameof(pixels));
        this.pixels = pixels;
    }

    /// <summary>For a set that brings its pixels by overriding <see cref="Image"/>.</summary>
    /// <inheritdoc cref="ImageSet(byte[], int, int, int, int[], IReadOnlyList{string})"/>
    protected ImageSet(int height, int width, int channels, int[] labels, IReadOnlyList<string> classNames)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        if (labels.Length == 0) throw new ArgumentException("an image set holds at least one image", nameof(labels));
        var wrong = Array.FindIndex(labels, label => (uint)label >= (uint)classNames.Count);
        if (wrong >= 0)
            throw new ArgumentException(
                $"image {wrong} has label {labels[wrong]}, but there are {classNames.Count} classes", nameof(labels));
        pixels = [];
        (Height, Width, Channels, this.labels, ClassNames) = (height, width, channels, labels, classNames);
    }

    /// <summary>Number of images.</summary>
    public int Count => labels.Length;

    /// <summary>Rows of every image as the network gets it.</summary>
    public int Height { get; }

    /// <summary>Columns of every image as the network gets it.</summary>
    public int Width { get; }

    /// <summary>Values of one pixel: 3 for color.</summary>
    public int Channels { get; }

    /// <summary>The class of each image, [N].</summary>
    public ReadOnlySpan<int> Labels => labels;

    /// <summary>The name of each class.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>What lay beside the images and was not taken, such as <c>4 .tiff</c>.</summary>
    public virtual IReadOnlyList<string> LeftOut => [];

    /// <summary>What was taken and is not what its name says, such as <c>1 .jpg holding WebP</c>.</summary>
    public virtual IReadOnlyList<string> Misnamed => [];

    /// <summary>
    /// The images that turned out damaged when they were asked for and were left out, in the order in which that was noticed: another of
    /// their class was given instead. May be asked for while other threads read images.
    /// </summary>
    public virtual IReadOnlyList<ImageProblem> Skipped => [];

    /// <summary>Whether the image at a position is one of <see cref="Skipped"/>.</summary>
    public virtual bool IsSkipped(int index) => false;

    /// <summary>All images one after another, [N, H, W, C]; empty when the set decodes its images as they are asked for.</summary>
    public ReadOnlySpan<byte> Pixels => pixels;

    /// <summary>Room for some of the images as a network takes them: float32 [N, C, H, W], channels last.</summary>
    internal Tensor Room(int count) =>
        Tensor.Empty([count, Channels, Height, Width], DType.Float32, format: MemoryFormat.ChannelsLast).Unscoped();

    int ImageBytes => checked(Height * Width * Channels);

    /// <summary>The image at a position. May be called from several threads at once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The position is not in 0..<see cref="Count"/>-1.</exception>
    public virtual ImageView Image(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return new(pixels.AsSpan((int)((long)index * ImageBytes), ImageBytes), Height, Width, Channels);
    }

    /// <summary>
    /// The image at a position as it was stored, of whatever size, for steps that <see cref="AugmentationStep.TakesOriginal"/>; the same as
    /// <see cref="Image"/> unless a set says otherwise. May be called from several threads at once.
    /// </summary>
    public virtual ImageView Original(int index) => Image(index);

    /// <summary>The same images in another size: scaled, or where they lie in files, prepared anew.</summary>
    /// <param name="side">Height and width.</param>
    public virtual ImageSet AtSize(int side) => side == Height && side == Width ? this : new ScaledImages(this, side);

    /// <summary>
    /// An area of the image as it was stored, scaled, for a <see cref="CropStep"/>. A set of files may decode no more than the area. May
    /// be called from several threads at once.
    /// </summary>
    /// <param name="index">The image's position.</param>
    /// <param name="choose">The area, from the stored image's size.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="destination">[height, width, C].</param>
    public virtual void Crop(int index, AreaChoice choose, int height, int width, Span<byte> destination)
    {
        var original = Original(index);
        ImageScaling.Scale(original, choose(original.Height, original.Width), height, width, destination);
    }

    /// <summary>
    /// At most <paramref name="limit"/> of the images, as many of each class as the set allows (counts differ by at most one
    /// where no class runs out), in their old order. Which ones depends only on <paramref name="seed"/>.
    /// </summary>
    /// <exception cref="UsageException">The limit is not positive.</exception>
    public ImageSet Subset(int limit, long seed = 0)
    {
        if (limit <= 0) throw new UsageException($"a limit of {limit} images leaves none; give 1 or more");
        return limit >= Count ? this : Select(BalancedSubset.Choose(labels, ClassNames.Count, limit, seed));
    }

    /// <summary>The images at these positions, in this order.</summary>
    protected virtual ImageSet Select(int[] indices)
    {
        var chosen = new byte[(long)indices.Length * ImageBytes];
        for (var i = 0; i < indices.Length; i++) Image(indices[i]).Pixels.CopyTo(chosen.AsSpan(i * ImageBytes));
        return new(chosen, Height, Width, Channels, Array.ConvertAll(indices, index => labels[index]), ClassNames);
    }

    /// <summary>Images of another set, scaled when they are asked for.</summary>
    sealed class ScaledImages(ImageSet images, int side) : ImageSet(side, side, images.Channels, images.labels, images.ClassNames)
    {
        public override ImageView Image(int index)
        {
            var image = images.Image(index);
            return new(ImageScaling.Scale(image, ImageArea.Of(image), Height, Width), Height, Width, Channels);
        }

        public override ImageView Original(int index) => images.Original(index);
    }
}
