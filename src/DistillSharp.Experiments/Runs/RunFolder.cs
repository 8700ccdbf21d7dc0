using System.Text.Json;

namespace DistillSharp.Experiments.Runs;

/// <summary>
/// A run is a folder, and the folder is the truth about it: <c>recipe.yaml</c> (resolved), <c>run.json</c>,
/// <c>metrics.jsonl</c> and <c>checkpoints/</c>. This object is the one writer of a run: while it lives, no other process
/// (and no second object in this one) can open the same folder for writing. Readers use <see cref="RunReader"/>.
/// </summary>
public sealed class RunFolder : IDisposable
{
    const string UnfinishedPrefix = ".creating-";

    readonly RunLock held;

    RunFolder(string path, RunLock held, RunManifest record, string recipe)
    {
        (Path, this.held, Manifest, Recipe) = (path, held, record, recipe);
        Metrics = new MetricsLog(System.IO.Path.Combine(path, RunFiles.Metrics));
    }

    /// <summary>The folder's full path.</summary>
    public string Path { get; }

    /// <summary>The run's name: the folder's.</summary>
    public string Name => Manifest.Name;

    /// <summary>The record as last written.</summary>
    public RunManifest Manifest { get; private set; }

    /// <summary>The resolved recipe's text.</summary>
    public string Recipe { get; }

    /// <summary>The metrics, for appending.</summary>
    public MetricsLog Metrics { get; }

    /// <summary>The folder for checkpoints; it exists.</summary>
    public string CheckpointsPath => System.IO.Path.Combine(Path, RunFiles.Checkpoints);

    /// <summary>
    /// Creates a run folder and takes its lock. The folder appears under its name with everything in it or not at all,
    /// so that several processes may create runs of one name at once.
    /// </summary>
    /// <param name="runsRoot">The folder of all runs; it is created when absent.</param>
    /// <param name="record">What is known. Name is the wanted name; time, state, machine, threads and digest are filled in here.</param>
    /// <param name="recipe">The resolved recipe's text.</param>
    /// <param name="exactName">Refuse a name that is taken instead of appending <c>-2</c>, <c>-3</c>, and so on.</param>
    /// <exception cref="UsageException">The name cannot be a run's, or it is taken and <paramref name="exactName"/> is set.</exception>
    /// <exception cref="UserException">The folder cannot be written.</exception>
    public static RunFolder Create(string runsRoot, RunManifest record, string recipe, bool exactName = false)
    {
        RunName.Check(record.Name);
        var root = System.IO.Path.GetFullPath(runsRoot);
        var temporary = System.IO.Path.Combine(root, UnfinishedPrefix + Guid.NewGuid().ToString("N"));
        RunLock? held = null;
        try
        {
            Directory.CreateDirectory(temporary);
            RemoveUnfinished(root);
            held = RunLock.Take(temporary);
            Directory.CreateDirectory(System.IO.Path.Combine(temporary, RunFiles.Checkpoints));
            AtomicFile.Write(System.IO.Path.Combine(temporary, RunFiles.Recipe), Encoding.UTF8.GetBytes(recipe));
            record = record with
            {
                Created = DateTimeOffset.UtcNow,
                Finished = null,
                Failure = null,
                State = RunState.Running,
                Machine = MachineDescription.Current,
                Threads = Environment.ProcessorCount,
                RecipeDigest = record.RecipeDigest.Length > 0 ? record.RecipeDigest : Recipes.RecipeDigest.Of(recipe),
            };
            for (var number = 1; ; number++)
            {
                var name = number == 1 ? record.Name : $"{record.Name}-{number}";
                var path = System.IO.Path.Combine(root, name);
                if (!System.IO.Path.Exists(path))
                {
                    var named = record with { Name = name };
                    WriteManifest(temporary, named);
                    if (TryMove(temporary, path))
                    {
                        AtomicFile.SyncFolder(root);
                        return new RunFolder(path, held, named, recipe);
                    }
                }
                if (exactName)
                    throw new UsageException(
                        $"there is a run named '{name}' in {root} already; resume it, remove it, or choose another name");
            }
        }
        catch (Exception e)
        {
            held?.Dispose();
            if (Directory.Exists(temporary)) TryDelete(temporary);
            // What was written into the temporary folder names that folder, which tells nobody anything.
            var cause = e is UserException { InnerException: { } inner } ? inner : e;
            if (FileTrouble.Is(cause)) throw FileTrouble.Report($"cannot create a run in {root}", cause);
            throw;
        }
    }

    /// <summary>Opens an existing run for writing, to resume it, and takes its lock.</summary>
    /// <exception cref="UserException">It is no run, cannot be read, or another process works in it (the message has its pid).</exception>
    public static RunFolder Open(string path)
    {
        var folder = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        RunReader.ReadManifest(folder);
        return FileTrouble.Told($"cannot open the run {folder}", () => RunLock.Take(folder).OrDispose(held =>
        {
            Directory.CreateDirectory(System.IO.Path.Combine(folder, RunFiles.Checkpoints));
            return new RunFolder(folder, held, RunReader.ReadManifest(folder), RunReader.ReadRecipe(folder));
        }));
    }

    /// <summary>Writes the state, and with it the end time of a run that ended.</summary>
    /// <param name="state">The new state.</param>
    /// <param name="failure">For <see cref="RunState.Failed"/>: why, in one sentence.</param>
    /// <exception cref="UserException">The record cannot be written.</exception>
    public void SetState(RunState state, string? failure = null) => Update(r => r with
    {
        State = state,
        Failure = failure,
        Finished = state == RunState.Running ? null : DateTimeOffset.UtcNow,
    });

    /// <summary>Changes the record on disk. The name stays the folder's.</summary>
    /// <exception cref="UserException">The record cannot be written.</exception>
    public void Update(Func<RunManifest, RunManifest> change)
    {
        var changed = change(Manifest) with { Name = Manifest.Name };
        WriteManifest(Path, changed);
        Manifest = changed;
    }

    /// <summary>Keeps the recipe that the run goes on with, where that is another one, and what of its training changes.</summary>
    /// <exception cref="UserException">It cannot be written.</exception>
    internal void GoOnWith(Recipes.Recipe recipe, IReadOnlyList<string> changes)
    {
        if (Manifest.RecipeDigest == recipe.Digest) return;
        AtomicFile.Write(System.IO.Path.Combine(Path, RunFiles.Recipe), Encoding.UTF8.GetBytes(recipe.Resolve()));
        Update(manifest => manifest with
        {
            RecipeDigest = recipe.Digest,
            Changes = changes.Count == 0 ? manifest.Changes : [.. manifest.Changes ?? [], .. changes],
        });
    }

    /// <summary>Gives the run's lock back. The state stays what was last written.</summary>
    public void Dispose() => held.Dispose();

    static void WriteManifest(string folder, RunManifest record) => AtomicFile.Write(System.IO.Path.Combine(folder, RunFiles.Manifest),
        Encoding.UTF8.GetBytes(JsonSerializer.Serialize(record, RunJson.Indented.RunManifest) + "\n"));

    static bool TryMove(string temporary, string path)
    {
        try
        {
            Directory.Move(temporary, path);
            return true;
        }
        catch (IOException) when (System.IO.Path.Exists(path)) { return false; }
    }

    // What a process killed within Create left behind. A minute's age keeps clear of those at work.
    static void RemoveUnfinished(string root)
    {
        foreach (var folder in Directory.EnumerateDirectories(root, UnfinishedPrefix + "*"))
            if (DateTime.UtcNow - Directory.GetLastWriteTimeUtc(folder) > TimeSpan.FromMinutes(1) && !RunLock.IsHeld(folder))
                TryDelete(folder);
    }

    static void TryDelete(string folder)
    {
        try { Directory.Delete(folder, recursive: true); }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            // It holds nothing that counts; the next run's start tries again.
        }
    }
}
