using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistillSharp.Experiments.Runs;

/// <summary>
/// The address of the page that shows a folder's runs as they train, in a small file of that folder while the page is served: so
/// whoever trains there can say where to look.
/// </summary>
public sealed class ServedPage : IDisposable
{
    const string FileName = ".page.json";
    const double StartTolerance = 2;

    readonly string file;

    ServedPage(string file, string address) => (this.file, Address) = (file, address);

    /// <summary>The address.</summary>
    public string Address { get; }

    /// <summary>The address of the page that is served for a folder of runs now; null where none is.</summary>
    /// <param name="runsRoot">The folder of all runs.</param>
    public static string? Find(string runsRoot) =>
        Read(Path.Combine(runsRoot, FileName)) is { } entry && IsAlive(entry) ? entry.Address : null;

    /// <summary>Says where the page of a folder is, until this is disposed.</summary>
    /// <param name="runsRoot">The folder of all runs.</param>
    /// <param name="address">The page's address, with what is needed to be let in.</param>
    /// <exception cref="UserException">The file cannot be written.</exception>
    public static ServedPage Announce(string runsRoot, string address)
    {
        var file = Path.Combine(Path.GetFullPath(runsRoot), FileName);
        using var process = Process.GetCurrentProcess();
        var entry = new Entry(address, Environment.ProcessId, process.StartTime.ToUniversalTime(), Environment.MachineName);
        AtomicFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(entry, ServedPageJson.Default.Entry));
        // The address may hold the token.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return new(file, address);
    }

    /// <summary>Takes the address back.</summary>
    public void Dispose()
    {
        try
        {
            if (Read(file)?.Process == Environment.ProcessId) File.Delete(file);
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            // Readers see that the process is gone.
        }
    }

    static Entry? Read(string file)
    {
        try { return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllBytes(file), ServedPageJson.Default.Entry) : null; }
        catch (Exception e) when (FileTrouble.Is(e) || e is JsonException) { return null; }
    }

    // Numbers of processes come again: the start tells them apart. Of another machine's nothing is known.
    static bool IsAlive(Entry entry)
    {
        if (entry.Machine != Environment.MachineName) return false;
        try
        {
            using var process = Process.GetProcessById(entry.Process);
            return Math.Abs((process.StartTime.ToUniversalTime() - entry.Started).TotalSeconds) < StartTolerance;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    internal sealed record Entry(string Address, int Process, DateTime Started, string Machine);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ServedPage.Entry))]
sealed partial class ServedPageJson : JsonSerializerContext;
