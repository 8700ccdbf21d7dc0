using System.Globalization;

namespace DistillSharp.Training;

/// <summary>
/// The checkpoints of one run in a folder: the latest few, and the best. Names sort by the step they were made at.
/// </summary>
/// <param name="folder">The folder; it is made when the first checkpoint is written.</param>
/// <param name="keep">How many of the latest are kept.</param>
public sealed class CheckpointStore(string folder, int keep = 2)
{
    const string Pattern = "step-*.safetensors", Best = "best.safetensors";

    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;

    /// <summary>The checkpoint of the best measured epoch; it may not exist yet.</summary>
    public string BestPath => Path.Combine(Folder, Best);

    /// <summary>The checkpoints, the latest first.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder, Pattern).OrderDescending(StringComparer.Ordinal)]
        : [];

    /// <summary>Writes a checkpoint, then removes those that are no longer kept: at every moment a whole one is there.</summary>
    /// <param name="checkpoint">What to write.</param>
    /// <param name="best">Whether it is of the best epoch so far.</param>
    /// <exception cref="UserException">It cannot be written; the older ones are as they were.</exception>
    public void Save(Checkpoint checkpoint, bool best)
    {
        Directory.CreateDirectory(Folder);
        checkpoint.Write(Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"step-{checkpoint.Progress.Step:000000000}.safetensors")));
        if (best) checkpoint.Write(BestPath);
        foreach (var old in Files.Skip(Math.Max(1, keep))) File.Delete(old);
    }

    /// <summary>Reads the latest checkpoint that is whole.</summary>
    /// <param name="warn">Told of each damaged one that was passed over.</param>
    /// <returns>The checkpoint and its file, or null where there is none.</returns>
    /// <exception cref="UserException">There are checkpoints, but all are damaged.</exception>
    public (Checkpoint Checkpoint, string Path)? Latest(Action<string> warn)
    {
        var files = Files;
        foreach (var file in files)
        {
            try
            {
                return (Checkpoint.Read(file), file);
            }
            catch (UserException error)
            {
                warn($"{error.Message.TrimEnd('.')}; the checkpoint before it is used");
            }
        }
        return files.Count == 0 ? null : throw new UserException($"{Folder}: all {files.Count} checkpoints are damaged; the run cannot be resumed");
    }
}
