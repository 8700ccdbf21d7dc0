namespace DistillSharp.Data;

/// <summary>
/// Images in files, one folder for each class, decoded when they are asked for. To look at, an image is scaled so that its
/// shorter side has 256/224 of the network's, and its middle is cut out; to train on, <see cref="ResizedCrop"/> takes the
/// original.
/// </summary>
sealed class ImageFolder : ImageSet
{
    readonly string[] files;

    ImageFolder(string[] files, int[] labels, int side, IReadOnlyList<string> classNames) : base(side, side, 3, labels, classNames) =>
        this.files = files;

    /// <summary>Reads the names of the classes and files; no image is opened yet.</summary>
    /// <param name="root">Holds train/ and val/, and each of these a folder for each class.</param>
    /// <param name="side">Height and width of the images that the network gets.</param>
    /// <exception cref="UserException">A folder is missing, holds no images, or a class of val/ is none of train/.</exception>
    public static (ImageSet Train, ImageSet Test) Read(string root, int side)
    {
        var (train, test) = (Part(root, "train"), Part(root, "val"));
        string[] classes = [.. Classes(train).Select(folder => Path.GetFileName(folder))];
        if (classes.Length == 0) throw new UserException($"'{train}' holds no folders; it should hold one folder of images for each class");
        var strange = Classes(test).Select(folder => Path.GetFileName(folder)).Except(classes).FirstOrDefault();
        if (strange is not null) throw new UserException($"the class '{strange}' of '{test}' is none of '{train}'");
        return (List(train, classes, side), List(test, classes, side));
    }

    static string Part(string root, string name)
    {
        var folder = Path.Combine(root, name);
        return Directory.Exists(folder) ? folder
            : throw new UserException($"there is no folder '{folder}'; '{root}' should hold train/ and val/, and each of these a folder of JPEG or PNG files for each class");
    }

    static IEnumerable<string> Classes(string part) =>
        Directory.EnumerateDirectories(part).Where(folder => !Path.GetFileName(folder).StartsWith('.')).Order(StringComparer.Ordinal);

    static ImageFolder List(string part, string[] classes, int side)
    {
        var (files, labels) = (new List<string>(), new List<int>());
        for (var label = 0; label < classes.Length; label++)
        {
            var folder = Path.Combine(part, classes[label]);
            if (!Directory.Exists(folder)) continue;
            var before = files.Count;
            files.AddRange(ImageFiles.In(folder));
            if (files.Count == before) throw new UserException($"'{folder}' holds no images (files ending with {ImageFiles.Endings})");
            labels.AddRange(Enumerable.Repeat(label, files.Count - before));
        }
        return files.Count > 0 ? new([.. files], [.. labels], side, classes) : throw new UserException($"'{part}' holds no images");
    }

    /// <inheritdoc/>
    public override ImageView Image(int index)
    {
        var original = Original(index);
        return new(ImageScaling.FitCenter(original, Height * 256 / 224, Height, Width), Height, Width, Channels);
    }

    /// <inheritdoc/>
    public override ImageView Original(int index)
    {
        var image = ImageFiles.Read(files[index]);
        return new(image.Pixels, image.Height, image.Width, Channels);
    }

    /// <inheritdoc/>
    protected override ImageSet Select(int[] indices)
    {
        var labels = Labels.ToArray();
        return new ImageFolder(Array.ConvertAll(indices, index => files[index]), Array.ConvertAll(indices, index => labels[index]), Height, ClassNames);
    }
}
