namespace DistillSharp.Data;

/// <summary>A set of photographs in files, one folder for each class, as torchvision's ImageFolder reads it.</summary>
static class ImageFolder
{
    const int MaxNamed = 10;

    /// <summary>Finds the classes and files, and looks at each file's beginning and end; no image is decoded yet.</summary>
    /// <param name="root">Holds train/ and val/, and each of these a folder for each class.</param>
    /// <param name="options">The size of the images, and whether damaged ones are left out.</param>
    /// <exception cref="UserException">A folder is missing or holds no images, a class of val/ is none of train/, or files are damaged.</exception>
    public static (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options)
    {
        var (train, test) = (Part(root, "train"), Part(root, "val"));
        var classes = FolderListing.Classes(train);
        if (classes.Length == 0) throw new UserException($"'{train}' holds no folders; it should hold one folder of images for each class");
        RefuseUnsorted(test, classes);
        classes = ClassNames.Ordered(classes, options.Classes, train);
        var (learned, measured) = (FolderListing.Of(train, classes, options.Progress), FolderListing.Of(test, classes, options.Progress));
        string[] wrong =
        [
            .. Strangers(test, train, classes), .. Unreadable(options, learned, measured), .. WithoutImages(train, learned),
            .. measured.Images.Count > 0 ? [] : NoImages(test, measured),
        ];
        return wrong.Length == 0 ? (Of(learned), Of(measured)) : throw new UserException(string.Join("\n", wrong));

        PhotographSet Of(FolderListing listing) => new(
            new FolderFiles([.. listing.Images.Select(image => image.File)]), [.. listing.Images.Select(image => image.Label)], classes,
            new([.. listing.LeftOut, .. listing.Damaged.Count == 0 ? [] : new[] { $"{listing.Damaged.Count:N0} damaged" }], [.. listing.Misnamed]),
            options);
    }

    static IEnumerable<string> Unreadable(ReadOptions options, params FolderListing[] parts)
    {
        var damaged = parts.SelectMany(part => part.Damaged).ToArray();
        if (damaged.Length == 0 || options.SkipDamaged) return [];
        var named = string.Join("; ", damaged.Take(MaxNamed).Select(one => $"'{one.File}' {one.Why}"));
        return
        [
            $"{damaged.Length} file{(damaged.Length == 1 ? "" : "s")} cannot be read as images: {named}"
                + (damaged.Length > MaxNamed ? $"; and {damaged.Length - MaxNamed} more" : "")
                + "; mend or remove them, or leave them out by data.damaged: skip",
        ];
    }

    static IEnumerable<string> WithoutImages(string train, FolderListing listing) => listing.Empty switch
    {
        [] => [],
        [var only] => NoImages(Path.Combine(train, only), listing),
        var several => [$"{several.Count} classes of '{train}' hold no images: {string.Join(", ", several.Take(MaxNamed).Select(name => $"'{name}'"))}"
            + $"{(several.Count > MaxNamed ? $" and {several.Count - MaxNamed} more" : "")}{Others(listing)}"],
    };

    static string[] NoImages(string folder, FolderListing listing) =>
        [$"'{folder}' holds no images (files ending with {ImageFiles.Endings}){Others(listing)}"];

    static string Others(FolderListing listing) =>
        listing.LeftOut.Any() ? $"; there are {string.Join(", ", listing.LeftOut)}, which are not read" : "";

    static string Part(string root, string name)
    {
        var folder = Path.Combine(root, name);
        return Directory.Exists(folder) ? folder
            : throw new UserException($"there is no folder '{folder}'; '{root}' should hold train/ and val/, and each of these a folder of images for each class");
    }

    static void RefuseUnsorted(string test, string[] classes)
    {
        string[] suspects = FolderListing.Classes(test) switch
        {
            [] => [test],
            [var only] when classes.Length > 1 && !classes.Contains(only) => [Path.Combine(test, only)],
            _ => [],
        };
        if (suspects.FirstOrDefault(folder => Directory.EnumerateFiles(folder).Any(ImageFiles.IsRead)) is not { } unsorted) return;
        var list = Directory.EnumerateFiles(test).Select(file => Path.GetFileName(file))
            .FirstOrDefault(name => name.EndsWith(".txt", StringComparison.Ordinal) || name.EndsWith(".csv", StringComparison.Ordinal));
        throw new UserException($"the test images in '{unsorted}' are not sorted into a folder for each class"
            + (list is null ? "" : $"; '{Path.Combine(test, list)}' may say the class of each")
            + $"; move them to '{Path.Combine(test, classes[0])}' and so on");
    }

    static IEnumerable<string> Strangers(string test, string train, string[] classes)
    {
        var strange = FolderListing.Classes(test).Except(classes).ToArray();
        if (strange.Length == 0) return [];
        var named = string.Join(", ", strange.Take(MaxNamed).Select(name => $"'{name}'"));
        return strange.Length == 1 ? [$"the class {named} of '{test}' is none of '{train}'"]
            : [$"the classes {named}{(strange.Length > MaxNamed ? $" and {strange.Length - MaxNamed} more" : "")} of '{test}' are none of '{train}'"];
    }

    sealed class FolderFiles(string[] files) : PhotographFiles
    {
        public override string Name(int index) => files[index];

        public override byte[] Content(int index) => ImageFiles.Content(files[index]);
    }
}
