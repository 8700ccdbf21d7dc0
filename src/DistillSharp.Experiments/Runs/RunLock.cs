using System.Runtime.InteropServices;

namespace DistillSharp.Experiments.Runs;

/// <summary>
/// One process at a time works in a run folder. The lock is the kernel's (an exclusive advisory lock on <c>run.lock</c>),
/// so it ends with the process that held it, however that ended; the pid inside is only there to be told.
/// </summary>
/// <remarks>The file is never deleted: a process that had just opened it would then hold a lock that nobody else can see.</remarks>
sealed partial class RunLock : IDisposable
{
    public const string FileName = "run.lock";

    // Looks at the state take the lock for a moment too. A look leaves no living process's number in the file, so it is
    // waited for longer than a holder is: on a busy machine a moment can be long.
    static readonly TimeSpan patience = TimeSpan.FromMilliseconds(200), patienceWithLooks = TimeSpan.FromSeconds(5);

    FileStream? file;

    RunLock(FileStream file) => this.file = file;

    /// <summary>Takes the folder's lock for this process.</summary>
    /// <exception cref="UserException">Another process holds it (the message names its pid), or the file cannot be written.</exception>
    public static RunLock Take(string folder)
    {
        var path = Path.Combine(folder, FileName);
        for (var start = Environment.TickCount64; ;)
        {
            try { return Sign(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0)); }
            catch (Exception e) when (FileTrouble.Is(e) && !IsLocked(e)) { throw FileTrouble.Report($"cannot lock {path}", e); }
            catch (IOException)
            {
                // Another holds it, for a moment or for long.
            }
            var pid = Pid(path);
            var real = pid is { } number
                && (!Directory.Exists("/proc") || Directory.Exists($"/proc/{number.ToString(CultureInfo.InvariantCulture)}"));
            if (Environment.TickCount64 - start > (real ? patience : patienceWithLooks).TotalMilliseconds)
                throw new UserException($"{folder} is in use by {(real ? $"process {pid}" : "a process of unknown number")}; "
                    + "wait for it to end, or give this run another name");
            Thread.Sleep(20);
        }
    }

    /// <summary>Whether a living process holds the folder's lock.</summary>
    public static bool IsHeld(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return false;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException e) { return IsLocked(e); }
        catch (UnauthorizedAccessException) { return false; }
    }

    /// <summary>The pid of the living process that holds the folder's lock, or null.</summary>
    public static int? Holder(string folder) => IsHeld(folder) ? Pid(Path.Combine(folder, FileName)) : null;

    // EWOULDBLOCK on Linux and macOS, a sharing violation on Windows: .NET passes the system's number through.
    static bool IsLocked(Exception e) => e is IOException { HResult: 11 or 35 or unchecked((int)0x80070020) };

    // Disposed on a full disk: the lock must not live on in a file that nobody knows.
    static RunLock Sign(FileStream opened) => opened.OrDispose(file =>
    {
        file.SetLength(0);
        file.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
        file.Flush();
        return new RunLock(file);
    });

    static int? Pid(string path) =>
        int.TryParse(ReadPastLock(path)?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : null;

    // Every .NET file handle takes an advisory lock, and is refused where this one is held: the pid inside is read without one.
    static string? ReadPastLock(string path)
    {
        if (OperatingSystem.IsWindows()) return null;
        var descriptor = Open(path, flags: 0);
        if (descriptor < 0) return null;
        var buffer = new byte[32];
        var read = ReadInto(descriptor, buffer, buffer.Length);
        _ = Close(descriptor);
        return read < 0 ? null : Encoding.ASCII.GetString(buffer, 0, (int)read);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint ReadInto(int descriptor, [Out] byte[] buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    public void Dispose()
    {
        var held = Interlocked.Exchange(ref file, null);
        if (held is null) return;
        held.SetLength(0);
        held.Dispose();
    }
}
