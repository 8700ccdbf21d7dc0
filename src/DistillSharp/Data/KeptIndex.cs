using System.Security.Cryptography;
using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>
/// The index of many photographs, kept from one time to the next: beside them, or in the user's cache where that cannot be written. It
/// holds as long as no folder and no shard has changed, and as some of the files have the length they had.
/// </summary>
static class KeptIndex
{
    /// <summary>Sets of fewer photographs are looked through anew each time, which takes no time to speak of.</summary>
    public const int MinCount = 10_000;

    const int Samples = 1000;

    /// <summary>The index of photographs that are as they were, or a new one.</summary>
    /// <param name="path">Where it is kept, if it can be.</param>
    /// <param name="root">The folder that its paths are relative to.</param>
    /// <param name="isCurrent">Whether what was found would be found again, beyond what containers tell.</param>
    /// <param name="write">Looks through the photographs.</param>
    public static PhotographIndex Get(
        string path, string root, Func<PhotographIndex, bool> isCurrent, Func<PhotographIndexWriter, PhotographFindings> write)
    {
        foreach (var place in new[] { path, Cached(path) })
            if (Opened(place) is { } kept && IsUnchanged(kept, root) && isCurrent(kept)) return kept;
        return Make(path, write);
    }

    static PhotographIndex? Opened(string path)
    {
        try
        {
            return File.Exists(path) ? PhotographIndex.Open(path) : null;
        }
        catch (UserException)
        {
            // It is made anew.
            return null;
        }
    }

    static bool IsUnchanged(PhotographIndex index, string root)
    {
        var containers = index.Findings.Containers;
        if (!containers.TrueForAll(container => PhotographContainer.Of(root, container.Path) == container)) return false;
        var step = Math.Max(1, index.Count / Samples);
        return ParallelEnumerable.Range(0, index.Count / step).Select(i => index[i * step]).All(IsThere);

        bool IsThere(PhotographEntry entry) => !containers[entry.Container].IsFolder
            || (new FileInfo(Path.Combine(root, containers[entry.Container].Path, entry.Name)) is { Exists: true } file
                && file.Length == entry.Length);
    }

    // Written to a file of the user's first: how many there are is known at the end.
    static PhotographIndex Make(string path, Func<PhotographIndexWriter, PhotographFindings> write)
    {
        var temporary = Path.Combine(Path.GetTempPath(), $"distillsharp-{Guid.NewGuid():N}.index");
        try
        {
            int count;
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                var writer = new PhotographIndexWriter(stream);
                writer.End(write(writer));
                count = writer.Count;
            }
            if (count < MinCount) return PhotographIndex.Over(new MemoryStream(File.ReadAllBytes(temporary)));
            // Where it cannot be kept it stays mapped, and goes with the process.
            return Kept(temporary, path) ?? Kept(temporary, Cached(path)) ?? PhotographIndex.Open(temporary);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    static PhotographIndex? Kept(string temporary, string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Write(path, to =>
            {
                using var from = File.OpenRead(temporary);
                from.CopyTo(to);
            });
            return PhotographIndex.Open(path);
        }
        catch (Exception e) when (e is UserException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    static string Cached(string path)
    {
        var home = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set ? set
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(path))))[..32];
        return Path.Combine(home, "distillsharp", name + ".index");
    }
}
