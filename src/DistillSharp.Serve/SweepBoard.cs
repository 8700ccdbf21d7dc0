using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Serve;

/// <summary>The sweeps that were started for a folder of runs.</summary>
sealed class SweepBoard(string root)
{
    volatile IReadOnlyList<SweepRecord> sweeps = [];
    string stamp = "";

    /// <summary>The sweeps, the one that was started last first.</summary>
    public IReadOnlyList<SweepRecord> Sweeps => sweeps;

    /// <summary>Reads the sweeps again if a record was written; only one thread may.</summary>
    public void Refresh()
    {
        var folder = new DirectoryInfo(Path.Combine(root, TrainingProcess.FolderName));
        var now = folder.Exists ? folder.LastWriteTimeUtc.ToString("O") : "";
        if (now == stamp) return;
        stamp = now;
        sweeps = [.. SweepRecord.In(root).OrderByDescending(sweep => sweep.Started)];
    }
}
