namespace DistillSharp.Data;

/// <summary>A set of photographs in files, one folder for each class, as torchvision's ImageFolder reads it.</summary>
static class ImageFolder
{
    /// <summary>Finds the classes and files, and looks at each file's beginning and end; no image is decoded yet.</summary>
    /// <param name="root">Holds train/ and val/, and each of these a folder for each class.</param>
    /// <param name="options">The size of the images, and whether damaged ones are left out.</param>
    /// <exception cref="UserException">A folder is missing or holds no images, a class of val/ is none of train/, or files are
    /// damaged.</exception>
    public static (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options)
    {
        var (train, test) = (Part(root, "train"), Part(root, "val"));
        var sorted = FolderListing.Classes(train);
        if (sorted.Length == 0) throw new UserException($"'{train}' holds no folders; it should hold one folder of images for each class");
        RefuseUnsorted(test, sorted);
        var classes = ClassNames.Ordered(sorted, options.Classes, train);
        var (learned, measured) = (FolderListing.Of(train, sorted, options.Progress), FolderListing.Of(test, sorted, options.Progress));
        string[] wrong =
        [
            .. Strangers(test, train, classes), .. PhotographProblems.Of(options, [.. Damaged(train, learned), .. Damaged(test, measured)]),
            .. WithoutImages(train, learned.Findings), .. measured.Count > 0 ? [] : NoImages(test, measured.Findings),
        ];
        return wrong.Length == 0 ? (Of(train, learned), Of(test, measured)) : throw new UserException(string.Join("\n", wrong));

        PhotographSet Of(string part, PhotographIndex index)
        {
            var places = Array.ConvertAll(sorted, name => Array.IndexOf(classes, name));
            return new(new IndexedFiles(index, part), Array.ConvertAll(index.Labels(), label => places[label]), classes,
                index.Findings.Notes([.. Damaged(part, index)]), options);
        }
    }

    static IEnumerable<DamagedPhotograph> Damaged(string part, PhotographIndex index) =>
        index.Findings.Damaged.Select(one => one with { File = Path.Combine(part, one.File) });

    static IEnumerable<string> WithoutImages(string train, PhotographFindings findings) => findings.Empty switch
    {
        [] => [],
        [var only] => NoImages(Path.Combine(train, only), findings),
        var several => [$"{several.Count} classes of '{train}' hold no images: {ClassNames.Named(several)}{Others(findings)}"],
    };

    static string[] NoImages(string folder, PhotographFindings findings) =>
        [$"'{folder}' holds no images (files ending with {ImageFiles.Endings}){Others(findings)}"];

    static string Others(PhotographFindings findings) => findings.LeftOut.Count > 0
        ? $"; there are {string.Join(", ", PhotographFindings.Counted(findings.LeftOut))}, which are not read" : "";

    static string Part(string root, string name)
    {
        var folder = Path.Combine(root, name);
        return Directory.Exists(folder) ? folder
            : throw new UserException($"there is no folder '{(Directory.Exists(root) ? folder : root)}'; '{root}' should hold train/ and "
                + "val/, and each of these a folder of images for each class");
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
        return strange.Length switch
        {
            0 => [],
            1 => [$"the class '{strange[0]}' of '{test}' is none of '{train}'"],
            _ => [$"the classes {ClassNames.Named(strange)} of '{test}' are none of '{train}'"],
        };
    }
}
