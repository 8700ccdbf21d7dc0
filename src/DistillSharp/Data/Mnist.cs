namespace DistillSharp.Data;

/// <summary>
/// MNIST (LeCun, Cortes, Burges) and Fashion-MNIST (Xiao, Rasul, Vollgraf: arXiv 1708.07747), four IDX files each. The gray
/// 28x28 images get a black border of 2 pixels and three equal channels, so that networks for CIFAR take them.
/// </summary>
static class Mnist
{
    const int Stored = 28, Border = 2, Side = Stored + 2 * Border, Channels = 3;

    static readonly string[] Files =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

    /// <summary>Reads the four files, which lie in a root or in one of its usual sub-folders.</summary>
    public static (ImageSet Train, ImageSet Test) Read(string dataSet, string root, string[] folders, string[] classNames, string source)
    {
        if (!Directory.Exists(root))
            throw new UserException($"the folder '{root}', which should hold {dataSet}, "
                + $"does not exist; it should hold {string.Join(", ", Files)}, gzipped or not ({source})");
        var candidates = folders.Select(folder => Path.Combine(root, folder)).Prepend(root).ToArray();
        var place = candidates.FirstOrDefault(folder => Files.Any(file => Locate(folder, file) is not null))
            ?? throw new UserException($"{dataSet} was not found in {string.Join(", ", candidates.Select(folder => $"'{folder}'"))}; "
                + $"one of them should hold {string.Join(", ", Files)}, gzipped or not ({source})");
        var missing = Files.Where(file => Locate(place, file) is null).ToList();
        if (missing.Count > 0)
            throw new UserException($"{dataSet} in '{place}' is incomplete: {string.Join(", ", missing)} missing (gzipped or not)");
        return (Part(0), Part(2));

        ImageSet Part(int first)
        {
            using var images = UnpackedFile.Open(Locate(place, Files[first])!);
            using var labels = UnpackedFile.Open(Locate(place, Files[first + 1])!);
            return Read(images, labels, classNames);
        }
    }

    /// <exception cref="UserException">Either file is damaged, or they do not fit together.</exception>
    public static ImageSet Read(UnpackedFile imageFile, UnpackedFile labelFile, string[] classNames)
    {
        var labels = IdxFile.Read(labelFile, dimensions: 1).Elements;
        var images = IdxFile.Read(imageFile, dimensions: 3);
        if (images.Sizes is not [var count, Stored, Stored])
            throw new UserException($"'{imageFile.Name}' holds images of {images.Sizes[1]}x{images.Sizes[2]}; "
                + $"they should be {Stored}x{Stored}");
        if (count != labels.Length)
            throw new UserException($"'{imageFile.Name}' holds {count} images, but '{labelFile.Name}' {labels.Length} labels");
        var wrong = Array.FindIndex(labels, label => label >= classNames.Length);
        if (wrong >= 0)
            throw new UserException($"'{labelFile.Name}': image {wrong} has label {labels[wrong]}, but there are only "
                + $"{classNames.Length} classes (0..{classNames.Length - 1})");
        return new(Widen(images.Elements, count), Side, Side, Channels, Array.ConvertAll(labels, label => (int)label), classNames);
    }

    static byte[] Widen(ReadOnlySpan<byte> gray, int count)
    {
        var pixels = new byte[(long)count * Side * Side * Channels];
        for (var row = 0; row < count * Stored; row++)
        {
            var (image, y) = Math.DivRem(row, Stored);
            var to = ((image * Side + y + Border) * Side + Border) * Channels;
            for (var x = 0; x < Stored; x++) pixels.AsSpan(to + x * Channels, Channels).Fill(gray[row * Stored + x]);
        }
        return pixels;
    }

    static string? Locate(string folder, string file)
    {
        string[] spellings = [file, file.Replace("-idx", ".idx", StringComparison.Ordinal)];
        return spellings.SelectMany(name => new[] { name, name + ".gz" })
            .Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }
}
