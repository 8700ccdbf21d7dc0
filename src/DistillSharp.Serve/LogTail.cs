using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Serve;

/// <summary>A run's log from its last part on: the one in its folder, or of an older run what a sweep kept.</summary>
sealed class LogTail(string root, string name)
{
    const int LongestTail = 64 << 10;

    string? path;
    long read;

    /// <summary>The log's end, from a line's beginning.</summary>
    public string Last()
    {
        if (!Found()) return "";
        read = Math.Max(0, new FileInfo(path!).Length - LongestTail);
        var cut = read > 0;
        var text = News();
        return cut ? text[(text.IndexOf('\n') + 1)..] : text;
    }

    bool Found() => (path = new[] { Path.Combine(root, name, RunFiles.Log), Path.Combine(root, TrainingProcess.FolderName, name + ".log") }
        .FirstOrDefault(File.Exists)) is not null;

    /// <summary>What was written since, in whole lines.</summary>
    public string News()
    {
        if (path is null) return Found() ? Last() : "";
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // Written anew, as a sweep does.
            if (file.Length < read) read = 0;
            file.Position = read;
            var bytes = new byte[Math.Min(file.Length - read, 4 * LongestTail)];
            var whole = bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)).LastIndexOf((byte)'\n') + 1;
            read += whole;
            return Encoding.UTF8.GetString(bytes, 0, whole);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return ""; }
    }
}
