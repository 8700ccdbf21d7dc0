namespace DistillSharp.Data;

/// <summary>The files of photographs, each at its position, wherever they lie.</summary>
abstract class PhotographFiles
{
    /// <summary>A file's name, for messages.</summary>
    public abstract string Name(int index);

    /// <summary>A file's path from the folder or within the shard that holds the set.</summary>
    public abstract string LocalName(int index);

    /// <summary>A file's content, to be disposed of. May be called from several threads at once.</summary>
    /// <exception cref="DamagedImageException">It cannot be read.</exception>
    public abstract FileBytes Open(int index);
}

/// <summary>What was noticed among the files of photographs.</summary>
/// <param name="LeftOut">What was not taken, such as <c>4 .tiff</c>.</param>
/// <param name="Misnamed">What was taken and is not what its name says.</param>
/// <param name="Damaged">What cannot be read.</param>
sealed record PhotographNotes(IReadOnlyList<string> LeftOut, IReadOnlyList<string> Misnamed, IReadOnlyList<DamagedPhotograph> Damaged);

/// <summary>A file that cannot be read.</summary>
/// <param name="File">Its name.</param>
/// <param name="Why">A sentence without its subject.</param>
sealed record DamagedPhotograph(string File, string Why);

/// <summary>
/// Photographs in files, decoded when they are asked for. To look at, an image is scaled so that its shorter side has 256/224 of the
/// network's, and its middle is cut out; to train on, <see cref="ResizedCrop"/> takes the original. Where damaged images are left out, one
/// that turns out so is noted, and the next of its class that can be read is given instead: what is given depends on the files alone, not
/// on what was asked for before.
/// </summary>
sealed class PhotographSet : ImageSet
{
    readonly PhotographFiles files;
    readonly PhotographNotes notes;
    readonly ReadOptions options;
    readonly PhotographReader reader;
    readonly SkippedImages skipped;
    // Where only some of the files are taken, which.
    readonly int[]? chosen;

    /// <param name="files">The files.</param>
    /// <param name="labels">[N], the class of each.</param>
    /// <param name="classNames">One name for each class.</param>
    /// <param name="notes">What else was found.</param>
    /// <param name="options">How they are read.</param>
    public PhotographSet(PhotographFiles files, int[] labels, IReadOnlyList<string> classNames, PhotographNotes notes, ReadOptions options)
        : this(files, null, labels, classNames, notes, options, new()) { }

    PhotographSet(
        PhotographFiles files, int[]? chosen, int[] labels, IReadOnlyList<string> classNames, PhotographNotes notes, ReadOptions options,
        SkippedImages skipped)
        : base(options.Size, options.Size, 3, labels, classNames)
    {
        (this.files, this.chosen, this.notes, this.options, this.skipped) = (files, chosen, notes, options, skipped);
        reader = new(options.ScaledDecoding, options.Upright);
    }

    public override IReadOnlyList<string> LeftOut => notes.LeftOut;

    public override IReadOnlyList<string> Misnamed => notes.Misnamed;

    /// <summary>What cannot be read and was left out.</summary>
    public IReadOnlyList<DamagedPhotograph> Damaged => notes.Damaged;

    public override IReadOnlyList<ImageProblem> Skipped => skipped.All;

    public override bool IsSkipped(int index) => skipped.Holds(At(index));

    public string FileName(int index) => files.Name(At(index));

    /// <summary>The path of an image's file from the folder or within the shard that holds the set.</summary>
    public string LocalName(int index) => files.LocalName(At(index));

    /// <summary>The bytes of an image's file, to be disposed of.</summary>
    /// <exception cref="DamagedImageException">It cannot be read.</exception>
    public FileBytes OpenFile(int index) => files.Open(At(index));

    public override ImageView Image(int index) =>
        new(ImageScaling.FitCenter(Original(index), Height * 256 / 224, Height, Width), Height, Width, Channels);

    /// <summary>The image at a position as it is stored, and never another in its place.</summary>
    /// <exception cref="DamagedImageException">It cannot be read.</exception>
    public ImageView Stored(int index)
    {
        var at = At(index);
        using var file = files.Open(at);
        var image = reader.Read(file.Span, files.Name(at));
        return new(image.Pixels, image.Height, image.Width, Channels);
    }

    public override ImageView Original(int index)
    {
        for (var given = index; ;)
            try
            {
                return Stored(given);
            }
            catch (DamagedImageException damage) when (options.SkipDamaged)
            {
                given = InsteadOf(given, index, damage);
            }
    }

    public override void Crop(int index, AreaChoice choose, int height, int width, Span<byte> destination)
    {
        for (var given = index; ;)
            try
            {
                var at = At(given);
                using var file = files.Open(at);
                reader.Crop(file.Span, files.Name(at), choose, height, width, destination);
                return;
            }
            catch (DamagedImageException damage) when (options.SkipDamaged)
            {
                given = InsteadOf(given, index, damage);
            }
    }

    // The next of its class, until all were tried.
    int InsteadOf(int given, int asked, DamagedImageException damage)
    {
        skipped.Note(At(given), damage);
        var labels = Labels;
        var next = (given + 1) % Count;
        while (labels[next] != labels[asked]) next = (next + 1) % Count;
        return next != asked ? next
            : throw new UserException($"no image of the class {ClassNames[labels[asked]]} can be read; {damage.Message}", damage);
    }

    public override ImageSet AtSize(int side) =>
        new PhotographSet(files, chosen, Labels.ToArray(), ClassNames, notes, options with { Size = side }, skipped);

    protected override ImageSet Select(int[] indices)
    {
        var labels = Labels.ToArray();
        return new PhotographSet(
            files, Array.ConvertAll(indices, At), Array.ConvertAll(indices, index => labels[index]), ClassNames, notes, options, skipped);
    }

    int At(int index) => chosen?[index] ?? index;
}
