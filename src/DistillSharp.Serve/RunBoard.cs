using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Report;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Serve;

/// <summary>What changed on the board since a version.</summary>
/// <param name="Version">The version it has now.</param>
/// <param name="All">Whether the rows are all there are, and not only what changed.</param>
/// <param name="Rows">The rows that are new or changed.</param>
/// <param name="Removed">The names of the rows that are gone.</param>
/// <param name="Problems">What cannot be read now, a sentence each.</param>
sealed record BoardChanges(
    string Version, bool All, IReadOnlyList<RunRow> Rows, IReadOnlyList<string> Removed, IReadOnlyList<string> Problems);

/// <summary>
/// A row for each run of a folder. The registry gives them at first; from then on a row is read anew from its run's folder when
/// the files there have changed. A folder that cannot be read is a problem to be shown, and nothing more.
/// </summary>
sealed class RunBoard(string root)
{
    readonly record struct FolderStamp(FileStamp Manifest, FileStamp Metrics, FileStamp Recipe);

    sealed record Known(RunRow Row, FolderStamp Stamp, long Version);

    // Versions of another process's board mean nothing to this one.
    readonly string instance = Guid.NewGuid().ToString("N")[..8];
    readonly Lock gate = new();
    readonly Dictionary<string, Known> runs = [];
    readonly Dictionary<string, (FolderStamp Stamp, string Message)> problems = [];
    readonly Dictionary<string, long> removed = [];
    string? trouble;
    long version;
    bool isRead;

    public string Root { get; } = root;

    /// <summary>Whether the folders have been looked at once.</summary>
    public bool IsRead => Volatile.Read(ref isRead);

    /// <summary>Looks at the folders; only one thread may.</summary>
    public void Refresh()
    {
        var folders = Folders();
        if (!isRead) Seed(folders);
        foreach (var folder in folders) Look(folder);
        var names = folders.Select(folder => Path.GetFileName(folder)!).ToHashSet();
        lock (gate)
        {
            foreach (var name in runs.Keys.Where(name => !names.Contains(name)).ToList()) Remove(name);
            foreach (var name in problems.Keys.Where(name => !names.Contains(name)).ToList())
            {
                problems.Remove(name);
                version++;
            }
        }
        Volatile.Write(ref isRead, true);
    }

    /// <summary>What changed since a version that <see cref="BoardChanges.Version"/> told.</summary>
    /// <param name="since">The version; all there is when null, or of another process.</param>
    public BoardChanges Changes(string? since)
    {
        lock (gate)
        {
            var known = since?.Split('-') is [var of, var number] && of == instance && long.TryParse(number, out var at) && at <= version
                ? at : (long?)null;
            return new($"{instance}-{version}", known is null,
                [.. runs.Values.Where(run => known is null || run.Version > known).Select(run => run.Row)],
                [.. removed.Where(one => known is not null && one.Value > known).Select(one => one.Key)],
                [.. trouble is null ? [] : new[] { trouble }, .. problems.Values.Select(problem => problem.Message)]);
        }
    }

    IReadOnlyList<string> Folders()
    {
        try { return RunReader.FoldersIn(Root); }
        catch (UserException e)
        {
            trouble = e.Message;
            return [];
        }
    }

    // The stamps come before the rows: what is written in between is then read anew.
    void Seed(IReadOnlyList<string> folders)
    {
        var stamps = folders.ToDictionary(folder => Path.GetFileName(folder)!, StampOf);
        try
        {
            foreach (var run in RunRegistry.ListIn(Root))
                // Of what was training when the registry last heard of it, only the folder knows.
                if (run.Manifest.State != RunState.Running && stamps.TryGetValue(run.Name, out var stamp)) Put(new RunRow(run), stamp);
        }
        catch (UserException e)
        {
            trouble = e.Message;
            version++;
        }
    }

    void Look(string folder)
    {
        var (name, stamp) = (Path.GetFileName(folder), StampOf(folder));
        if (runs.TryGetValue(name, out var known) && known.Stamp == stamp && !HasEnded(known.Row, folder)) return;
        if (problems.TryGetValue(name, out var problem) && problem.Stamp == stamp) return;
        try { Put(new RunRow(RunSummary.Of(RunReader.Load(folder))), stamp); }
        // Whatever is wrong with one folder, the others are shown.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            lock (gate)
            {
                if (runs.ContainsKey(name)) Remove(name);
                problems[name] = (stamp, e is UserException ? e.Message : $"{folder}: {e.Message}");
                version++;
            }
        }
    }

    // A process that was killed wrote nothing.
    static bool HasEnded(RunRow row, string folder) => row.State == "running" && !RunLock.IsHeld(folder);

    void Put(RunRow row, FolderStamp stamp)
    {
        lock (gate)
        {
            problems.Remove(row.Name);
            removed.Remove(row.Name);
            runs[row.Name] = new(row, stamp, ++version);
        }
    }

    void Remove(string name)
    {
        runs.Remove(name);
        removed[name] = ++version;
    }

    static FolderStamp StampOf(string folder) => new(FileStamp.Of(Path.Combine(folder, RunFiles.Manifest)),
        FileStamp.Of(Path.Combine(folder, RunFiles.Metrics)), FileStamp.Of(Path.Combine(folder, RunFiles.Recipe)));
}
