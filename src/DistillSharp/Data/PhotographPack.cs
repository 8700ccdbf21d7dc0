namespace DistillSharp.Data;

/// <summary>A set of photographs in one packed file, which is mapped into memory.</summary>
sealed class PhotographPack
{
    /// <summary>The parts, as containers of the index.</summary>
    public static readonly string[] Parts = ["train", "val"];

    readonly MappedFile file;
    readonly PhotographIndex index;
    readonly long end;

    PhotographPack(MappedFile file)
    {
        this.file = file;
        end = PackHeader.IndexOf(file);
        index = PhotographIndex.Open(file);
        if (index.Findings.Classes is not { Count: > 0 } || index.Findings.Classes.Contains(null!)) throw Damaged("it names no classes");
    }

    /// <summary>The names of the classes, in their order.</summary>
    public IReadOnlyList<string> Classes => index.Findings.Classes;

    /// <summary>Opens a packed file; its index is read and compared with its digest.</summary>
    /// <exception cref="UserException">It cannot be read, is no packed file or a damaged one.</exception>
    public static PhotographPack Open(string path) => MappedFile.Open(path).OrDispose(file => new PhotographPack(file));

    /// <summary>The photographs of both parts.</summary>
    /// <exception cref="UserException">The file is damaged, or a list of classes is not of its classes.</exception>
    public (ImageSet Train, ImageSet Test) Read(ReadOptions options)
    {
        var names = ClassNames.Ordered([.. Classes], options.Classes, file.Path);
        var places = Classes.Select(name => Array.IndexOf(names, name)).ToArray();
        var (labels, parts) = (index.Labels(), index.ContainerNumbers());
        if (labels.Any(label => (uint)label >= (uint)places.Length)) throw Damaged("an image is of a class that it does not name");
        var measured = Array.IndexOf(parts, 1);
        // Those to train on come first.
        if (measured <= 0 || parts.AsSpan(0, measured).ContainsAnyExcept(0) || parts.AsSpan(measured).ContainsAnyExcept(1))
            throw Damaged($"its images are not those of {Parts[0]}, then those of {Parts[1]}");
        return (Part(0, measured), Part(measured, labels.Length));

        PhotographSet Part(int from, int to) => new(
            new Files(this, from), Array.ConvertAll(labels[from..to], label => places[label]), names, new([], [], []), options);
    }

    UserException Damaged(string how) => new($"'{file.Path}' is damaged: {how}");

    sealed class Files(PhotographPack pack, int first) : PhotographFiles
    {
        public override string Name(int at)
        {
            var entry = pack.index[first + at];
            return $"{pack.file.Path}: {Parts[entry.Container]}/{entry.Name}";
        }

        public override string LocalName(int at) => pack.index[first + at].Name;

        public override FileBytes Open(int at)
        {
            var entry = pack.index[first + at];
            return entry.Offset >= PackHeader.Size && entry.Length <= pack.end - entry.Offset ? new(pack.file, entry.Offset, entry.Length)
                : throw pack.Damaged("an image does not lie where images lie");
        }
    }
}
