using System.Runtime.InteropServices;
using System.Text;
using DistillSharp.Formats;

namespace DistillSharp.Runs;

/// <summary>Writes that a power cut leaves either whole or undone.</summary>
static partial class DurableFile
{
    /// <inheritdoc cref="AtomicFile.Write(string, ReadOnlyMemory{byte})"/>
    public static void Write(string path, ReadOnlyMemory<byte> content) => AtomicFile.Write(path, content);

    /// <inheritdoc cref="AtomicFile.Write(string, ReadOnlyMemory{byte})"/>
    public static void Write(string path, string content) => AtomicFile.Write(path, Encoding.UTF8.GetBytes(content));

    /// <inheritdoc cref="AtomicFile.SyncFolder"/>
    public static void SyncFolder(string folder) => AtomicFile.SyncFolder(folder);

    /// <summary>
    /// Reads a small file without taking the advisory lock that every .NET file handle takes: the one way to read a file
    /// that another process holds locked.
    /// </summary>
    /// <returns>The text, at most <paramref name="limit"/> bytes of it, or null when it cannot be read.</returns>
    public static string? ReadPastLock(string path, int limit = 256)
    {
        if (OperatingSystem.IsWindows()) return null;
        var descriptor = Open(path, flags: 0);
        if (descriptor < 0) return null;
        var buffer = new byte[limit];
        var read = ReadInto(descriptor, buffer, buffer.Length);
        _ = Close(descriptor);
        return read < 0 ? null : Encoding.UTF8.GetString(buffer, 0, (int)read);
    }

    /// <inheritdoc cref="FileTrouble.Is"/>
    public static bool IsTrouble(Exception e) => FileTrouble.Is(e);

    /// <inheritdoc cref="FileTrouble.Report"/>
    public static UserException Trouble(string what, Exception cause) => FileTrouble.Report(what, cause);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint ReadInto(int descriptor, [Out] byte[] buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
