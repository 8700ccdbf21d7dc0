using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Serve;

/// <summary>
/// Keeps the board as the folders are: at once when the system tells of a written file, and every few seconds besides while someone
/// looks, for what it does not tell: a process that was killed, a folder on another machine.
/// </summary>
sealed class FolderWatch(RunBoard board, SweepBoard sweeps, Pulse pulse) : IAsyncDisposable
{
    static readonly TimeSpan often = TimeSpan.FromSeconds(2), gathering = TimeSpan.FromMilliseconds(60);
    static readonly string[] shown = [RunFiles.Manifest, RunFiles.Metrics, RunFiles.Log];

    readonly CancellationTokenSource stop = new();
    readonly SemaphoreSlim woken = new(0);
    FileSystemWatcher? watcher;
    Task? work;
    int watching;

    /// <summary>Looks for the first time, and begins to watch.</summary>
    public void Start()
    {
        watcher = Watcher();
        work = Task.Run(Work);
    }

    /// <summary>Someone looks, until what is returned is disposed.</summary>
    public IDisposable Look()
    {
        Interlocked.Increment(ref watching);
        Wake();
        return new Looking(this);
    }

    public async ValueTask DisposeAsync()
    {
        watcher?.Dispose();
        await stop.CancelAsync();
        if (work is not null) await work;
        stop.Dispose();
        woken.Dispose();
    }

    async Task Work()
    {
        while (!stop.IsCancellationRequested)
        {
            board.Refresh();
            sweeps.Refresh();
            pulse.Beat();
            try
            {
                await woken.WaitAsync(Volatile.Read(ref watching) > 0 ? often : Timeout.InfiniteTimeSpan, stop.Token);
                // One epoch writes several files.
                await Task.Delay(gathering, stop.Token);
                while (woken.Wait(0, CancellationToken.None)) { }
            }
            catch (OperationCanceledException) { return; }
        }
    }

    // A system that watches no more folders than it has leaves the looking every few seconds.
    FileSystemWatcher? Watcher()
    {
        try
        {
            var made = new FileSystemWatcher(board.Root)
            {
                IncludeSubdirectories = true,
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            made.Created += Heard;
            made.Changed += Heard;
            made.Deleted += Heard;
            made.Renamed += Heard;
            made.Error += (_, _) => { };
            made.EnableRaisingEvents = true;
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException) { return null; }
    }

    // Folders of runs that come and go, the files in them that are shown, and the sweeps. The registry's own files say nothing more.
    void Heard(object sender, FileSystemEventArgs change)
    {
        var name = change.Name ?? "";
        var inFolder = name.Contains(Path.DirectorySeparatorChar);
        if (inFolder ? shown.Contains(Path.GetFileName(name)) || name.StartsWith(TrainingProcess.FolderName, StringComparison.Ordinal)
            : !name.StartsWith(RunRegistry.FileName, StringComparison.Ordinal)) Wake();
    }

    void Wake()
    {
        try
        {
            if (woken.CurrentCount == 0) woken.Release();
        }
        catch (ObjectDisposedException)
        {
            // The watcher's last word.
        }
    }

    sealed class Looking(FolderWatch of) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref of.watching);
    }
}
