namespace DistillSharp.Data;

/// <summary>How a data set is to be read.</summary>
/// <param name="Size">Height and width of the images as networks get them.</param>
/// <param name="SkipDamaged">Whether files that cannot be read are left out; otherwise they are an error.</param>
public sealed record ReadOptions(int Size, bool SkipDamaged = false)
{
    /// <summary>
    /// Whether a crop of a JPEG file that is at least twice as large as wanted is scaled while it is decoded, which is faster and changes
    /// pixels a little. Images to measure on are always decoded exactly.
    /// </summary>
    public bool ScaledDecoding { get; init; } = true;

    /// <summary>Whether a photograph is turned as its EXIF data says; as torchvision reads files they are not.</summary>
    public bool Upright { get; init; }

    /// <summary>The names of the classes in their order; null for the order of the names' bytes, as torchvision has it.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Hears how far the files have been looked at, where that takes long; null where nobody asks.</summary>
    public IProgress<WorkProgress>? Progress { get; init; }
}

/// <summary>
/// All that is to be known of a data set, in one place: how its files are read, how its images are normalized and prepared, and
/// how networks are usually trained on it. One of your own is made known by <c>toolkit.Datasets.Add(new MySet())</c>.
/// </summary>
public abstract class DatasetDescription
{
    /// <summary>The name in recipes, for example <c>cifar100</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Mean of each channel of the training images, in 0..1.</summary>
    public abstract IReadOnlyList<float> Mean { get; }

    /// <summary>Standard deviation of each channel of the training images.</summary>
    public abstract IReadOnlyList<float> Std { get; }

    /// <summary>Height and width of the images as networks get them, unless another size is asked for.</summary>
    public virtual int Size => 32;

    /// <summary>
    /// Whether each image is a file, so that it can be had in another size than <see cref="Size"/> and damaged ones can be left out.
    /// </summary>
    public virtual bool HasSizes => false;

    /// <summary>The names of the classes, where they are known without the set's files.</summary>
    public virtual IReadOnlyList<string>? ClassNames => null;

    /// <summary>What a recipe for this set leaves unsaid.</summary>
    public virtual Protocol Protocol => Protocol.Cifar;

    /// <summary>How many classes there are in a folder of this set, as far as that is known without reading images; else null.</summary>
    /// <param name="root">The folder that holds its files.</param>
    public virtual int? ClassesIn(string root) => ClassNames?.Count;

    /// <summary>Whether there is anything at a root, which is not opened.</summary>
    /// <param name="root">The folder that should hold the set's files, its folder or its archive.</param>
    public virtual bool Exists(string root) => Directory.Exists(root) || File.Exists(root);

    /// <summary>Reads the training and the test images.</summary>
    /// <param name="root">The folder that holds the set's files, its folder or its archive.</param>
    /// <param name="options">Of interest to sets whose images lie in files, each by itself, and which <see cref="HasSizes"/>.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    protected abstract (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options);

    /// <inheritdoc cref="Load(string, ReadOptions)"/>
    /// <param name="root">The folder that holds its files, its folder or its archive.</param>
    /// <param name="size">Height and width of the images; null for <see cref="Size"/>.</param>
    /// <param name="skipDamaged">Whether images that cannot be read are left out, where each is a file.</param>
    public Dataset Load(string root, int? size = null, bool skipDamaged = false) => Load(root, new ReadOptions(size ?? Size, skipDamaged));

    /// <summary>Reads the data set, normalized by its own mean and deviation.</summary>
    /// <param name="root">The folder that holds its files, its folder or its archive.</param>
    /// <param name="options">How it is to be read.</param>
    /// <exception cref="UsageException">The set's images do not come in this size.</exception>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public Dataset Load(string root, ReadOptions options)
    {
        if (options.Size != Size && !HasSizes)
            throw new UsageException($"the images of {Name} are {Size}x{Size}, not {options.Size}x{options.Size}");
        var (train, test) = Read(root, options);
        return new(Name, train, test, Mean, Std) { Protocol = Protocol };
    }

    /// <summary>
    /// Brings any image to a network's size as this set's test images were: here, the shorter side is scaled to
    /// <see cref="ShorterSide"/>, and the middle cut out. A set that does something else is exported to ONNX as if it did not.
    /// </summary>
    /// <param name="image">The image, [H, W, 3].</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <returns>[height, width, 3].</returns>
    public virtual byte[] Prepare(ImageView image, int height, int width) =>
        ImageScaling.FitCenter(image, ShorterSide(height, width), height, width);

    /// <summary>The length to which an image's shorter side is scaled before its middle is cut out for a network.</summary>
    /// <param name="height">Rows of the network's images.</param>
    /// <param name="width">Columns of the network's images.</param>
    public virtual int ShorterSide(int height, int width) => Math.Max(height, width);
}
