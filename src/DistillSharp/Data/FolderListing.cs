using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>
/// The images of one part of a data set in folders, as torchvision's ImageFolder finds them: a folder for each class, images in
/// it and at any depth below, in the order of folders and names. Every file is looked at once, at its beginning and its end, so that what
/// cannot be read is known before anything is trained.
/// </summary>
sealed class FolderListing
{
    const string ZipLeftovers = "__MACOSX";

    static readonly EnumerationOptions everywhere =
        new() { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false };

    readonly string part;
    readonly PhotographIndexWriter writer;
    readonly PhotographFindings findings;

    FolderListing(string part, PhotographIndexWriter writer, string[] classes, IProgress<WorkProgress>? progress)
    {
        (this.part, this.writer, findings) = (part, writer, new() { Classes = [.. classes] });
        findings.Containers.Add(PhotographContainer.Of(part, ""));
        if (Directory.Exists(Path.Combine(part, ZipLeftovers)))
            PhotographFindings.Count(findings.LeftOut, $"folder {ZipLeftovers}, which a zip from a Mac leaves");
        for (var label = 0; label < classes.Length; label++)
        {
            Add(Path.Combine(part, classes[label]), classes[label], label);
            progress?.Report(new($"looking at the files of {part}", label + 1, classes.Length));
        }
    }

    /// <summary>The folders that are classes, in the order of their names' bytes.</summary>
    public static string[] Classes(string part) =>
        [.. Directory.EnumerateDirectories(part).Select(folder => Path.GetFileName(folder)).Where(IsTaken).Order(StringComparer.Ordinal)];

    /// <summary>Looks through a part's classes, or takes what was found before.</summary>
    public static PhotographIndex Of(string part, string[] classes, IProgress<WorkProgress>? progress) => KeptIndex.Get(
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(part))!, $".distill-{Path.GetFileName(Path.GetFullPath(part))}.index"), part,
        kept => kept.Findings.Classes.SequenceEqual(classes)
            && kept.Findings.Damaged.TrueForAll(one => Look(Path.Combine(part, one.File)).Trouble == one.Why),
        writer => new FolderListing(part, writer, classes, progress).findings);

    static bool IsTaken(string name) => !name.StartsWith('.') && name != ZipLeftovers;

    void Add(string folder, string name, int label)
    {
        var before = writer.Count;
        if (Directory.Exists(folder))
        {
            // As they are before they are listed: what is added meanwhile shows the next time.
            var containers = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var one in Directory.EnumerateDirectories(folder, "*", everywhere).Prepend(folder))
            {
                containers.Add(one, findings.Containers.Count);
                findings.Containers.Add(PhotographContainer.Of(part, Path.GetRelativePath(part, one)));
            }
            Add(Found(folder), containers, label);
        }
        if (writer.Count == before) findings.Empty.Add(name);
    }

    void Add(List<(string Folder, string Name)> files, Dictionary<string, int> containers, int label)
    {
        var looks = new FileLook[files.Count];
        Parallel.For(0, looks.Length, i => looks[i] = Look(Path.Combine(files[i].Folder, files[i].Name)));
        foreach (var ((folder, name), (kind, trouble, length)) in files.Zip(looks))
        {
            if (trouble is not null)
            {
                findings.Damaged.Add(new(Path.GetRelativePath(part, Path.Combine(folder, name)), trouble));
                continue;
            }
            if (!containers.TryGetValue(folder, out var container)) continue;
            writer.Add(new(container, 0, (int)length, label, name));
            if (!ImageKind.IsNamed(name, kind!))
                PhotographFindings.Count(findings.Misnamed, $"{Path.GetExtension(name).ToLowerInvariant()} holding {kind}");
        }
    }

    // The order is that of torchvision: folder by folder, in each by name.
    List<(string Folder, string Name)> Found(string folder)
    {
        var found = new List<(string Folder, string Name)>();
        foreach (var file in Directory.EnumerateFiles(folder, "*", everywhere))
        {
            if (!Path.GetRelativePath(folder, file).Split('/').All(IsTaken)) continue;
            if (ImageFiles.IsRead(file)) found.Add((Path.GetDirectoryName(file)!, Path.GetFileName(file)));
            else if (ImageKind.OfName(file) is { } ending) PhotographFindings.Count(findings.LeftOut, ending);
        }
        return [.. found.OrderBy(file => file.Folder, StringComparer.Ordinal).ThenBy(file => file.Name, StringComparer.Ordinal)];
    }

    // What has neither its kind's beginning nor end is decoded to be sure; what has both is taken for whole.
    static FileLook Look(string file)
    {
        try
        {
            using var opened = File.OpenHandle(file);
            var length = RandomAccess.GetLength(opened);
            Span<byte> head = stackalloc byte[ImageKind.HeadLength], tail = stackalloc byte[ImageKind.TailLength];
            head = head[..RandomAccess.Read(opened, head, 0)];
            var kind = ImageKind.Of(head);
            if (length > 0 && ImageKind.Refusal(kind) is { } refusal) return new(kind, refusal);
            tail = tail[..RandomAccess.Read(opened, tail, Math.Max(0, length - tail.Length))];
            return new(kind, kind is not null && ImageKind.EndsWell(kind, head, tail, length) ? null : ImageFiles.Trouble(file), length);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(null, "is a link to nowhere");
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            return new(null, $"cannot be opened: {FileTrouble.Reason(e)}");
        }
    }

    readonly record struct FileLook(string? Kind, string? Trouble, long Length = 0);
}
