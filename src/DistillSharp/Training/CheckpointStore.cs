using DistillSharp.Formats.Files;

namespace DistillSharp.Training;

/// <summary>
/// The checkpoints of one run in a folder: the latest few, and the best. Names sort by the step they were made at. One
/// process at a time writes here; a run folder's lock sees to that.
/// </summary>
/// <param name="folder">The folder; it is made when the first checkpoint is written.</param>
/// <param name="keep">How many of the latest are kept.</param>
public sealed class CheckpointStore(string folder, int keep = 2)
{
    const string Pattern = "step-*.safetensors", Best = "best.safetensors", CutOff = "*.safetensors.*.tmp";

    Checkpoint? unwrittenBest;

    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>The checkpoint of the best measured epoch; it may not exist yet.</summary>
    public string BestPath => Path.Combine(Folder, Best);

    /// <summary>The checkpoints, the latest first.</summary>
    public IReadOnlyList<string> Files => Find(Pattern);

    /// <summary>Writes a checkpoint, then removes those that are no longer kept: at every moment a whole one is there.</summary>
    /// <param name="checkpoint">What to write.</param>
    /// <param name="best">Whether it is of the best epoch so far. One that could not be written is kept for the next call.</param>
    /// <exception cref="UserException">It cannot be written; the older ones are as they were.</exception>
    public void Save(Checkpoint checkpoint, bool best)
    {
        if (best) unwrittenBest = checkpoint;
        try
        {
            Prepare();
            // The best goes first: no checkpoint may name a best epoch whose weights are not there.
            unwrittenBest?.Write(BestPath);
            unwrittenBest = null;
            var name = string.Create(CultureInfo.InvariantCulture, $"step-{checkpoint.Progress.Step:000000000}.safetensors");
            checkpoint.Write(Path.Combine(Folder, name));
            // What lies after this step was damaged and passed over, or belongs to a run that was begun anew.
            var later = Files.Where(file => string.CompareOrdinal(Path.GetFileName(file), name) > 0).ToArray();
            foreach (var old in later.Concat(Files.Skip(later.Length + Math.Max(1, keep)))) File.Delete(old);
        }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot keep checkpoints in {Folder}", e); }
    }

    /// <summary>Reads the latest checkpoint that is whole; the best one where none of the latest is.</summary>
    /// <param name="warn">Told of each damaged one that was passed over.</param>
    /// <returns>The checkpoint and its file, or null where there is none.</returns>
    /// <exception cref="UserException">There are checkpoints, but all are damaged.</exception>
    public (Checkpoint Checkpoint, string Path)? Latest(Action<string> warn)
    {
        var files = File.Exists(BestPath) ? [.. Files, BestPath] : Files;
        for (var i = 0; i < files.Count; i++)
        {
            try { return (Checkpoint.Read(files[i]), files[i]); }
            catch (UserException error)
            {
                warn(error.Message.TrimEnd('.') + (i + 1 < files.Count ? $"; {Path.GetFileName(files[i + 1])} is tried instead" : ""));
            }
        }
        return files.Count == 0 ? null
            : throw new UserException($"{Folder}: all {files.Count} checkpoints are damaged, so the run cannot "
                + "be resumed; begin it anew under another name");
    }

    void Prepare()
    {
        if (!Directory.Exists(Folder))
        {
            Directory.CreateDirectory(Folder);
            AtomicFile.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(Folder))!);
        }
        // A process killed while it wrote leaves its temporary file.
        foreach (var file in Find(CutOff)) File.Delete(file);
    }

    string[] Find(string pattern) => FileTrouble.Told<string[]>($"cannot list the checkpoints in {Folder}", () =>
        Directory.Exists(Folder) ? [.. Directory.EnumerateFiles(Folder, pattern).OrderDescending(StringComparer.Ordinal)] : []);
}
