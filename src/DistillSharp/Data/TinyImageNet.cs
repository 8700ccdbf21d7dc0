namespace DistillSharp.Data;

/// <summary>
/// Tiny-ImageNet (Stanford's course CS231N, 2015): 100,000 + 10,000 photographs of 64x64 in 200 classes of ImageNet, as JPEG files in
/// train/WNID/images/ and val/images/, the classes of the latter in val/val_annotations.txt. The labels are in the order of the
/// WordNet ids.
/// </summary>
sealed class TinyImageNetSet() : PublishedSet("tiny-imagenet", [.4802f, .4481f, .3975f], [.2764f, .2689f, .2816f], size: 64)
{
    const string Source = "http://cs231n.stanford.edu/tiny-imagenet-200.zip", Folder = "tiny-imagenet-200";
    const int MaxNamed = 5;

    // The crop of 32x32 images, twice as large.
    public override Protocol Protocol { get; } = Protocol.Cifar with { Augment = [new PadAndCrop { Padding = 8 }, new Flip()] };

    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options)
    {
        string[] parts = ["wnids.txt", "words.txt", "train", "val/images", "val/val_annotations.txt"];
        var place = new[] { Path.Combine(root, Folder), root }.FirstOrDefault(folder => IsThere(Path.Combine(folder, parts[0])))
            ?? throw new UserException($"Tiny-ImageNet was not found in '{root}', which should hold {Folder}/ "
                + $"with {string.Join(", ", parts)} ({Source}, unpacked)");
        var missing = parts.Where(part => !IsThere(Path.Combine(place, part))).ToList();
        if (missing.Count > 0) throw new UserException($"Tiny-ImageNet in '{place}' is incomplete: {string.Join(", ", missing)} missing");

        string[] ids = [.. Lines(Path.Combine(place, parts[0])).Select(line => line.Trim()).Order(StringComparer.Ordinal)];
        var names = Names(Path.Combine(place, parts[1]), ids);
        var (train, empty) = Listed(Path.Combine(place, "train"), ids, options.Progress);
        if (empty is [var first, ..]) throw new UserException($"'{Path.Combine(place, "train", first)}' holds no images");
        var (test, _) = Listed(Path.Combine(place, "val"), ["images"], options.Progress);
        return (new SmallPhotographs(train, options.Size, names), new SmallPhotographs(Annotated(place, test, ids), options.Size, names));
    }

    static (List<(string File, int Label)> Images, List<string> Empty) Listed(
        string part, string[] classes, IProgress<WorkProgress>? progress)
    {
        var index = FolderListing.Of(part, classes, progress);
        var (files, findings) = (new IndexedFiles(index, part), index.Findings);
        if (findings.Damaged is [var damaged, ..])
            throw new UserException($"'{Path.Combine(part, damaged.File)}' {damaged.Why}; unpack {Folder}.zip again");
        return ([.. index.Labels().Select((label, i) => (files.Name(i), label))], findings.Empty);
    }

    // A line has a file's name, its class's id and four numbers.
    static List<(string File, int Label)> Annotated(string place, List<(string File, int Label)> images, string[] ids)
    {
        var path = Path.Combine(place, "val", "val_annotations.txt");
        var labels = new Dictionary<string, int>();
        foreach (var line in Lines(path))
        {
            if (line.Split('\t') is not [var file, var id, ..]
                || Array.BinarySearch(ids, id, StringComparer.Ordinal) is not (>= 0 and var label))
                throw new UserException($"'{path}': '{line}' does not say an image and its class, one of wnids.txt");
            labels[file] = label;
        }
        var unknown = images.Select(image => Path.GetFileName(image.File)).Where(file => !labels.ContainsKey(file)).ToList();
        if (unknown.Count > 0) throw new UserException($"'{path}' does not say the class of {string.Join(", ", unknown.Take(MaxNamed))}");
        var absent = labels.Keys.Except(images.Select(image => Path.GetFileName(image.File))).ToList();
        if (absent.Count > 0)
            throw new UserException($"'{Path.Combine(place, "val", "images")}' lacks {string.Join(", ", absent.Take(MaxNamed))} "
                + "of val_annotations.txt");
        return [.. images.Select(image => (image.File, labels[Path.GetFileName(image.File)]))];
    }

    // The first of a class's words, or all of them where another class has the same first one.
    static string[] Names(string path, string[] ids)
    {
        var words = Lines(path).Select(line => line.Split('\t', 2)).Where(line => line.Length == 2)
            .ToDictionary(line => line[0], line => line[1].Trim());
        string[] whole = [.. ids.Select(id => words.GetValueOrDefault(id, id))];
        string[] first = [.. whole.Select(word => word.Split(',')[0])];
        return [.. first.Select((word, i) => first.Count(other => other == word) == 1 ? word : $"{whole[i]} ({ids[i]})")];
    }

    static bool IsThere(string path) => File.Exists(path) || Directory.Exists(path);

    static IEnumerable<string> Lines(string path) => File.ReadLines(path).Where(line => line.Length > 0);

    /// <summary>Photographs that are stored in the size in which networks get them, decoded when they are asked for.</summary>
    sealed class SmallPhotographs(IReadOnlyList<(string File, int Label)> files, int side, IReadOnlyList<string> classNames)
        : ImageSet(side, side, 3, [.. files.Select(file => file.Label)], classNames)
    {
        public override ImageView Image(int index)
        {
            var image = ImageFiles.Read(files[index].File);
            return image.Height == Height && image.Width == Width ? new(image.Pixels, Height, Width, Channels)
                : throw new UserException($"'{files[index].File}' is {image.Width}x{image.Height} and should be {Width}x{Height}");
        }

        protected override ImageSet Select(int[] indices) =>
            new SmallPhotographs(Array.ConvertAll(indices, index => files[index]), Width, ClassNames);
    }
}
