using System.Text.Json;

namespace DistillSharp.Experiments.Runs;

/// <summary>What <see cref="MetricsLog.ContinueAfter"/> found.</summary>
/// <param name="Kept">The lines kept, one per epoch, in order.</param>
/// <param name="Dropped">How many lines were removed: later epochs that will be trained again, duplicates, torn lines.</param>
/// <param name="Missing">Epochs up to the checkpoint's that have no line; empty unless the file was damaged from outside.</param>
public sealed record MetricsRepair(IReadOnlyList<EpochMetrics> Kept, int Dropped, IReadOnlyList<int> Missing);

/// <summary>
/// <c>metrics.jsonl</c>: one JSON object per epoch and line, in order, flushed to the disk line by line. A torn last line
/// (power cut) is no line. Write an epoch's line before its checkpoint: then a checkpoint never lacks a line before it.
/// </summary>
public sealed class MetricsLog
{
    readonly string path;
    readonly List<EpochMetrics> pending = [];
    int lastEpoch;

    /// <summary>Opens the log at a path; the file is created by the first line.</summary>
    /// <exception cref="UserException">The file cannot be read.</exception>
    public MetricsLog(string path)
    {
        this.path = path;
        lastEpoch = Read(path) is [.., var last] ? last.Epoch : 0;
    }

    /// <summary>Epochs whose lines could not be written yet (a full disk); the next <see cref="Append"/> tries them again.</summary>
    public int Pending => pending.Count;

    /// <summary>Appends an epoch's line, after those that are still pending, and flushes it to the disk.</summary>
    /// <exception cref="UserException">The file cannot be written, as on a full disk. The line is kept and tried with the next.</exception>
    /// <exception cref="ArgumentException">The epoch is not later than the last line's: call <see cref="ContinueAfter"/> first.</exception>
    public void Append(EpochMetrics metrics)
    {
        if (metrics.Epoch <= lastEpoch)
            throw new ArgumentException($"epoch {metrics.Epoch} is not after epoch {lastEpoch}, the last one in {path}", nameof(metrics));
        pending.Add(metrics);
        lastEpoch = metrics.Epoch;
        Flush();
    }

    /// <summary>Writes what is pending.</summary>
    /// <exception cref="UserException">As in <see cref="Append"/>.</exception>
    public void Flush()
    {
        if (pending.Count == 0) return;
        var text = Serialize(pending);
        try
        {
            using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            var whole = WholeLines(file);
            try
            {
                file.SetLength(whole);
                file.Position = whole;
                file.Write(text);
                file.Flush(flushToDisk: true);
            }
            catch (Exception e) when (FileTrouble.Is(e))
            {
                file.SetLength(whole);
                throw;
            }
            if (whole == 0) AtomicFile.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot write {path}", e); }
        pending.Clear();
    }

    /// <summary>
    /// Prepares the log for training that continues after a checkpoint: lines after its epoch go, as do duplicates and torn
    /// lines, so that the log has neither gaps nor duplicates afterwards.
    /// </summary>
    /// <param name="epoch">The checkpoint's last whole epoch; 0 to start over.</param>
    /// <exception cref="UserException">The file cannot be read or written.</exception>
    public MetricsRepair ContinueAfter(int epoch)
    {
        var lines = Parse(path).ToList();
        var kept = InOrder(lines).Where(m => m.Epoch <= epoch && m.Epoch >= 1).ToList();
        if (kept.Count != lines.Count) AtomicFile.Write(path, Serialize(kept));
        pending.Clear();
        lastEpoch = epoch;
        return new(kept, lines.Count - kept.Count, [.. Enumerable.Range(1, epoch).Except(kept.Select(m => m.Epoch))]);
    }

    /// <summary>The epochs of a log, in order, without torn lines; of two lines for an epoch the later one, trained later.</summary>
    /// <exception cref="UserException">The file cannot be read.</exception>
    public static IReadOnlyList<EpochMetrics> Read(string path) => [.. InOrder(Parse(path))];

    static IEnumerable<EpochMetrics> InOrder(IEnumerable<EpochMetrics?> lines) =>
        lines.OfType<EpochMetrics>().GroupBy(m => m.Epoch).Select(g => g.Last()).OrderBy(m => m.Epoch);

    static List<EpochMetrics?> Parse(string path)
    {
        var lines = new List<EpochMetrics?>();
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file, Encoding.UTF8);
            while (reader.ReadLine() is { } line)
                if (line.Length > 0) lines.Add(ParseLine(line));
        }
        catch (FileNotFoundException)
        {
            // No epoch has ended yet.
        }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot read {path}", e); }
        return lines;
    }

    static EpochMetrics? ParseLine(string line)
    {
        try { return JsonSerializer.Deserialize(line, RunJson.Default.EpochMetrics); }
        catch (JsonException) { return null; }
    }

    static byte[] Serialize(IEnumerable<EpochMetrics> lines) =>
        Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => JsonSerializer.Serialize(line, RunJson.Default.EpochMetrics) + "\n")));

    // A torn last line must not become the beginning of the next one.
    static long WholeLines(FileStream file)
    {
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return Array.LastIndexOf(content, (byte)'\n') + 1;
    }
}
