using DistillSharp.Torch;

namespace DistillSharp.Data;

/// <summary>
/// The images of one part of a data set in folders, as torchvision's ImageFolder finds them: a folder for each class, images in
/// it and at any depth below. Every file is looked at once, at its beginning and its end, so that what cannot be read is known
/// before anything is trained.
/// </summary>
sealed class FolderListing
{
    const int Head = 16, Tail = 12;
    const string ZipLeftovers = "__MACOSX";

    readonly SortedDictionary<string, int> leftOut = new(StringComparer.Ordinal);

    /// <summary>The images by class, and within each by folder and name.</summary>
    public List<(string File, int Label)> Images { get; } = [];

    /// <summary>The files that look like images by their names but cannot be read, and why.</summary>
    public List<(string File, string Why)> Damaged { get; } = [];

    /// <summary>The classes without any image.</summary>
    public List<string> Empty { get; } = [];

    /// <summary>What is there and was not taken, such as <c>4 .webp</c>.</summary>
    public IEnumerable<string> LeftOut => leftOut.Select(kind => $"{kind.Value:N0} {kind.Key}");

    /// <summary>The folders that are classes, in the order of their names' bytes.</summary>
    public static string[] Classes(string part) =>
        [.. Directory.EnumerateDirectories(part).Select(folder => Path.GetFileName(folder)).Where(IsTaken).Order(StringComparer.Ordinal)];

    /// <summary>Looks through a part's classes.</summary>
    public static FolderListing Of(string part, string[] classes)
    {
        var listing = new FolderListing();
        if (Directory.Exists(Path.Combine(part, ZipLeftovers))) listing.LeaveOut($"folder {ZipLeftovers}, which a zip from a Mac leaves");
        for (var label = 0; label < classes.Length; label++) listing.Add(Path.Combine(part, classes[label]), classes[label], label);
        return listing;
    }

    static bool IsTaken(string name) => !name.StartsWith('.') && name != ZipLeftovers;

    void LeaveOut(string kind) => leftOut[kind] = leftOut.GetValueOrDefault(kind) + 1;

    void Add(string folder, string name, int label)
    {
        var before = Images.Count;
        var files = Directory.Exists(folder) ? Found(folder) : [];
        var troubles = new string?[files.Length];
        Parallel.For(0, files.Length, i => troubles[i] = Trouble(files[i]));
        for (var i = 0; i < files.Length; i++)
            if (troubles[i] is { } why) Damaged.Add((files[i], why));
            else Images.Add((files[i], label));
        if (Images.Count == before) Empty.Add(name);
    }

    // The order is that of torchvision: folder by folder, in each by name.
    string[] Found(string folder)
    {
        var found = new List<(string Folder, string Name)>();
        foreach (var file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false }))
        {
            if (!Path.GetRelativePath(folder, file).Split('/').All(IsTaken)) continue;
            if (ImageFiles.IsRead(file)) found.Add((Path.GetDirectoryName(file)!, Path.GetFileName(file)));
            else if (ImageKind.OfName(file) is { } ending) LeaveOut(ending);
        }
        return [.. found.OrderBy(file => file.Folder, StringComparer.Ordinal).ThenBy(file => file.Name, StringComparer.Ordinal).Select(file => Path.Combine(file.Folder, file.Name))];
    }

    // What has neither its kind's beginning nor end is decoded to be sure; what has both is taken for whole.
    static string? Trouble(string file)
    {
        try
        {
            using var opened = File.OpenHandle(file);
            var length = RandomAccess.GetLength(opened);
            if (length == 0) return "is empty";
            Span<byte> head = stackalloc byte[Head], tail = stackalloc byte[Tail];
            var kind = ImageKind.Of(head[..RandomAccess.Read(opened, head, 0)]);
            if (kind is null) return "is neither a JPEG nor a PNG image";
            if (kind is not (ImageKind.Jpeg or ImageKind.Png)) return $"holds {kind}, whatever its name says";
            RandomAccess.Read(opened, tail, Math.Max(0, length - Tail));
            if (kind == ImageKind.Jpeg ? tail is [.., 0xff, 0xd9] : tail[4..].StartsWith("IEND"u8)) return null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "is a link to nowhere";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"cannot be opened: {ImageFiles.Reason(e)}";
        }
        try
        {
            ImageFiles.Read(file);
            return null;
        }
        catch (UserException e)
        {
            return e.InnerException is TorchException cause ? cause.Message : e.Message;
        }
    }
}
