using System.Runtime.InteropServices;
using System.Text;

namespace DistillSharp.Runs;

/// <summary>Writes that a power cut leaves either whole or undone.</summary>
static partial class DurableFile
{
    /// <summary>Writes to a temporary file beside the path, flushes it to the disk, renames it into place and flushes the folder.</summary>
    /// <exception cref="UserException">The file cannot be written; what was there before is untouched.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
            SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (IsTrouble(e))
        {
            Remove(temporary);
            throw Trouble($"cannot write {path}", e);
        }
    }

    /// <inheritdoc cref="Write(string, ReadOnlySpan{byte})"/>
    public static void Write(string path, string content) => Write(path, Encoding.UTF8.GetBytes(content));

    /// <summary>Makes a folder's entries (a created or renamed file) survive a power cut. Does nothing where folders cannot be flushed.</summary>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, flags: 0);
        if (descriptor < 0) return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

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

    /// <summary>Whether an exception is the file system's. .NET reports a file beyond the size limit as an argument out of range.</summary>
    public static bool IsTrouble(Exception e) =>
        e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" };

    /// <summary>An exception for the user out of one of the file system's.</summary>
    public static UserException Trouble(string what, Exception cause)
    {
        var reason = cause switch
        {
            UnauthorizedAccessException => "permission denied",
            DirectoryNotFoundException => "the folder does not exist",
            FileNotFoundException => "the file does not exist",
            ArgumentOutOfRangeException => "the file would exceed the size limit",
            _ when cause.HResult == NoSpaceLeft => "the disk is full",
            _ => cause.Message.TrimEnd('.'),
        };
        return new UserException($"{what}: {reason}", cause);
    }

    static void Remove(string temporary)
    {
        try { File.Delete(temporary); }
        catch (Exception e) when (IsTrouble(e))
        {
            // The first failure is the one to report.
        }
    }

    const int NoSpaceLeft = 28;

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint ReadInto(int descriptor, [Out] byte[] buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
