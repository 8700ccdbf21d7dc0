using System.Runtime.InteropServices;

namespace DistillSharp.Formats.Files;

/// <summary>Writes a file that an interruption, a full disk or a power cut leaves either whole or as it was before.</summary>
internal static partial class AtomicFile
{
    /// <summary>Bytes gathered before a write, so that writers may write small pieces.</summary>
    const int BufferSize = 1 << 16;

    /// <summary>
    /// Writes to a temporary file beside the path, flushes it to the disk, renames it into place and flushes the folder.
    /// A symbolic link stays; the file it leads to is replaced.
    /// </summary>
    /// <param name="path">The file to write.</param>
    /// <param name="write">Writes the content, to a file that it may also read. When it throws, the path keeps what it had.</param>
    /// <exception cref="UserException">The file cannot be written; what was there before is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string? temporary = null;
        try
        {
            var file = new FileInfo(path);
            var target = file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
            if (Directory.Exists(target)) throw new UserException($"cannot write {path}: it is a folder");
            temporary = $"{target}.{Guid.NewGuid().ToString("N")[..12]}.tmp";
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, BufferSize))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
            temporary = null;
            SyncFolder(Path.GetDirectoryName(target)!);
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            throw FileTrouble.Report($"cannot write {path}", e);
        }
        finally
        {
            if (temporary is not null) Remove(temporary);
        }
    }

    /// <inheritdoc cref="Write(string, Action{Stream})"/>
    public static void Write(string path, ReadOnlyMemory<byte> content) => Write(path, file => file.Write(content.Span));

    /// <summary>
    /// Makes a folder's entries (a created or renamed file) survive a power cut. Does nothing where folders cannot be flushed.
    /// </summary>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, flags: 0);
        if (descriptor < 0) return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

    static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            // The first failure is the one to report.
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
