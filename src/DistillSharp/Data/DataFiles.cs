namespace DistillSharp.Data;

/// <summary>One of the forms in which a data set is published: files in a folder, or the same folder in an archive.</summary>
/// <param name="Folder">The folder's name, also inside the archive.</param>
/// <param name="Archive">The archive's name without its ending.</param>
/// <param name="Files">Every file that is needed.</param>
sealed record FileLayout(string Folder, string Archive, IReadOnlyList<string> Files)
{
    public IEnumerable<string> Archives(string root, params string[] endings) =>
        endings.Select(ending => Path.Combine(root, Archive + ending));

    public string Entry(string file) => $"{Folder}/{file}";
}

/// <summary>The files of a data set, found in one of its forms.</summary>
sealed class DataFiles
{
    readonly string place;
    readonly Dictionary<string, byte[]>? entries;

    DataFiles(FileLayout layout, string place, Dictionary<string, byte[]>? entries) =>
        (Layout, this.place, this.entries) = (layout, place, entries);

    public FileLayout Layout { get; }

    /// <summary>Where a file lies, for messages.</summary>
    public string Where(string file) => entries is null ? Path.Combine(place, file) : $"{place}: {Layout.Entry(file)}";

    /// <summary>A file's content; of an archive it can be taken once.</summary>
    public byte[] Take(string file)
    {
        if (entries is not null)
            return entries.Remove(Layout.Entry(file), out var content) ? content
                : throw new InvalidOperationException($"'{file}' was taken before");
        using var source = UnpackedFile.Open(Path.Combine(place, file));
        return source.ReadExactly(source.Left, "the file");
    }

    /// <summary>
    /// Looks for the layouts in turn: as a folder in <paramref name="root"/>, as root itself, as an archive in root;
    /// root may also be the archive.
    /// </summary>
    /// <exception cref="UserException">None is there in full; the message lists what was looked for where.</exception>
    public static DataFiles Find(string dataSet, string root, string source, params FileLayout[] layouts)
    {
        if (File.Exists(root)) return FromArchive(root, layouts);
        if (!Directory.Exists(root))
            throw new UserException($"the folder '{root}', which should hold {dataSet}, does not exist; it should hold "
                + $"{Expected(layouts)} ({source})");

        string? incomplete = null;
        foreach (var layout in layouts)
            foreach (var folder in new[] { Path.Combine(root, layout.Folder), root })
            {
                var missing = layout.Files.Where(file => !File.Exists(Path.Combine(folder, file))).ToList();
                if (missing.Count == 0) return new(layout, folder, null);
                if (missing.Count < layout.Files.Count)
                    incomplete ??= $"{dataSet} in '{folder}' is incomplete: {string.Join(", ", missing)} missing; the folder should "
                        + $"hold {string.Join(", ", layout.Files)}";
            }
        if (layouts.SelectMany(layout => layout.Archives(root, ".tar.gz", ".tgz", ".tar")).FirstOrDefault(File.Exists) is { } archive)
            return FromArchive(archive, layouts);
        if (layouts.SelectMany(layout => layout.Archives(root, ".tar.xz", ".tar.bz2", ".tar.zst", ".zip"))
            .FirstOrDefault(File.Exists) is { } unreadable)
            throw new UserException($"'{unreadable}' is packed in a way that cannot be read here; unpack it into '{root}' "
                + $"({Unpack(unreadable, root)})");
        throw new UserException(incomplete ?? $"{dataSet} was not found in '{root}', which should hold {Expected(layouts)} ({source})");
    }

    static DataFiles FromArchive(string archive, FileLayout[] layouts)
    {
        using var file = UnpackedFile.Open(archive);
        var wanted = layouts.SelectMany(layout => layout.Files.Select(layout.Entry)).ToHashSet();
        var entries = TarArchive.Read(file, wanted);
        foreach (var layout in layouts)
            if (layout.Files.All(name => entries.ContainsKey(layout.Entry(name)))) return new(layout, archive, entries);
        var nearest = layouts.MaxBy(layout => layout.Files.Count(name => entries.ContainsKey(layout.Entry(name))))!;
        var missing = nearest.Files.Select(nearest.Entry).Where(entry => !entries.ContainsKey(entry));
        throw new UserException($"the archive '{archive}' lacks {string.Join(", ", missing)}: it is cut short or another archive");
    }

    static string Expected(FileLayout[] layouts) => string.Join(", or ", layouts.Select(layout =>
        $"{layout.Folder}/ with {string.Join(", ", layout.Files)}, or {layout.Archive}.tar.gz"));

    static string Unpack(string archive, string root) =>
        archive.EndsWith(".zip", StringComparison.Ordinal) ? $"unzip {archive} -d {root}" : $"tar -xf {archive} -C {root}";
}
