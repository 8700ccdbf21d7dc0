using System.Text.Json;
using DistillSharp.Experiments.Report;
using DistillSharp.Experiments.Runs;
using DistillSharp.Training;

namespace DistillSharp.Serve;

/// <summary>An event of the stream: its name and its data as JSON.</summary>
readonly record struct News(string Event, string Json, string? Id = null);

/// <summary>One run in full, and then what is new of it: epochs and lines of its log.</summary>
sealed class RunFeed(string root, string name)
{
    readonly string folder = Path.Combine(root, name);
    readonly LogTail log = new(root, name);
    IReadOnlyList<EpochMetrics>? told;
    FileStamp metrics;
    bool absent;

    /// <summary>What is new since the last call; the first one tells all.</summary>
    public IEnumerable<News> News()
    {
        List<News> news;
        try
        {
            news = told is null ? [All()] : [.. Epochs(), .. Lines()];
            absent = false;
        }
        // A folder that cannot be read, or not yet: it is told once, and tried again.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            told = null;
            news = absent ? [] : [new("absent", JsonSerializer.Serialize(new RunNamed(name), ServeJson.Default.RunNamed))];
            absent = true;
        }
        return news;
    }

    News All()
    {
        RunName.Check(name);
        metrics = FileStamp.Of(Path.Combine(folder, RunFiles.Metrics));
        var run = RunReader.Load(folder);
        told = run.Metrics;
        return new("run", JsonSerializer.Serialize(new RunData(run) { Log = log.Last() }, ServeJson.Default.RunData));
    }

    IEnumerable<News> Epochs()
    {
        var path = Path.Combine(folder, RunFiles.Metrics);
        var now = FileStamp.Of(path);
        if (now == metrics) return [];
        metrics = now;
        var epochs = MetricsLog.Read(path);
        // A run that went on from a checkpoint has other epochs than those that were told.
        if (epochs.Count < told!.Count || (told.Count > 0 && !Same(epochs[told.Count - 1], told[^1]))) return [All()];
        var added = epochs.Skip(told.Count).ToList();
        told = epochs;
        return added.Count == 0 ? []
            : [new("epochs", JsonSerializer.Serialize(new GrownCurves(name, CurveData.Of(added)), ServeJson.Default.GrownCurves))];
    }

    static bool Same(EpochMetrics one, EpochMetrics other) =>
        (one.Epoch, one.Step, one.Seconds) == (other.Epoch, other.Step, other.Seconds);

    IEnumerable<News> Lines() => log.News() is { Length: > 0 } text
        ? [new("log", JsonSerializer.Serialize(new GrownLog(name, text), ServeJson.Default.GrownLog))] : [];
}
