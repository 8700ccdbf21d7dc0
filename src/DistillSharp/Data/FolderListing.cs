namespace DistillSharp.Data;

/// <summary>
/// The images of one part of a data set in folders, as torchvision's ImageFolder finds them: a folder for each class, images in
/// it and at any depth below. Every file is looked at once, at its beginning and its end, so that what cannot be read is known
/// before anything is trained.
/// </summary>
sealed class FolderListing
{
    const string ZipLeftovers = "__MACOSX";

    readonly SortedDictionary<string, int> leftOut = new(StringComparer.Ordinal), misnamed = new(StringComparer.Ordinal);

    /// <summary>The images by class, and within each by folder and name.</summary>
    public List<(string File, int Label)> Images { get; } = [];

    /// <summary>The files that are images by their names but cannot be read, and why.</summary>
    public List<(string File, string Why)> Damaged { get; } = [];

    /// <summary>The classes without any image.</summary>
    public List<string> Empty { get; } = [];

    /// <summary>What is there and was not taken, such as <c>4 .tiff</c>.</summary>
    public IEnumerable<string> LeftOut => Counted(leftOut);

    /// <summary>What was taken and is not what its name says, such as <c>1 .jpg holds WebP</c>.</summary>
    public IEnumerable<string> Misnamed => Counted(misnamed);

    /// <summary>The folders that are classes, in the order of their names' bytes.</summary>
    public static string[] Classes(string part) =>
        [.. Directory.EnumerateDirectories(part).Select(folder => Path.GetFileName(folder)).Where(IsTaken).Order(StringComparer.Ordinal)];

    /// <summary>Looks through a part's classes.</summary>
    public static FolderListing Of(string part, string[] classes, IProgress<WorkProgress>? progress)
    {
        var listing = new FolderListing();
        if (Directory.Exists(Path.Combine(part, ZipLeftovers))) listing.LeaveOut($"folder {ZipLeftovers}, which a zip from a Mac leaves");
        for (var label = 0; label < classes.Length; label++)
        {
            listing.Add(Path.Combine(part, classes[label]), classes[label], label);
            progress?.Report(new($"looking at the files of {part}", label + 1, classes.Length));
        }
        return listing;
    }

    static bool IsTaken(string name) => !name.StartsWith('.') && name != ZipLeftovers;

    static IEnumerable<string> Counted(SortedDictionary<string, int> kinds) => kinds.Select(kind => $"{kind.Value:N0} {kind.Key}");

    void LeaveOut(string kind) => leftOut[kind] = leftOut.GetValueOrDefault(kind) + 1;

    void Add(string folder, string name, int label)
    {
        var before = Images.Count;
        var files = Directory.Exists(folder) ? Found(folder) : [];
        var looks = new (string? Kind, string? Trouble)[files.Length];
        Parallel.For(0, files.Length, i => looks[i] = Look(files[i]));
        foreach (var (file, (kind, trouble)) in files.Zip(looks))
        {
            if (trouble is not null)
            {
                Damaged.Add((file, trouble));
                continue;
            }
            Images.Add((file, label));
            if (ImageKind.IsNamed(file, kind!)) continue;
            var what = $"{Path.GetExtension(file).ToLowerInvariant()} holding {kind}";
            misnamed[what] = misnamed.GetValueOrDefault(what) + 1;
        }
        if (Images.Count == before) Empty.Add(name);
    }

    // The order is that of torchvision: folder by folder, in each by name.
    string[] Found(string folder)
    {
        var found = new List<(string Folder, string Name)>();
        var everywhere = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false };
        foreach (var file in Directory.EnumerateFiles(folder, "*", everywhere))
        {
            if (!Path.GetRelativePath(folder, file).Split('/').All(IsTaken)) continue;
            if (ImageFiles.IsRead(file)) found.Add((Path.GetDirectoryName(file)!, Path.GetFileName(file)));
            else if (ImageKind.OfName(file) is { } ending) LeaveOut(ending);
        }
        return
        [
            .. found.OrderBy(file => file.Folder, StringComparer.Ordinal).ThenBy(file => file.Name, StringComparer.Ordinal)
                .Select(file => Path.Combine(file.Folder, file.Name)),
        ];
    }

    // What has neither its kind's beginning nor end is decoded to be sure; what has both is taken for whole.
    static (string? Kind, string? Trouble) Look(string file)
    {
        try
        {
            using var opened = File.OpenHandle(file);
            var length = RandomAccess.GetLength(opened);
            Span<byte> head = stackalloc byte[ImageKind.HeadLength], tail = stackalloc byte[ImageKind.TailLength];
            head = head[..RandomAccess.Read(opened, head, 0)];
            var kind = ImageKind.Of(head);
            if (length > 0 && ImageKind.Refusal(kind) is { } refusal) return (kind, refusal);
            tail = tail[..RandomAccess.Read(opened, tail, Math.Max(0, length - tail.Length))];
            return (kind, kind is not null && ImageKind.EndsWell(kind, head, tail, length) ? null : ImageFiles.Trouble(file));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, "is a link to nowhere");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"cannot be opened: {ImageFiles.Reason(e)}");
        }
    }
}
