using System.IO.MemoryMappedFiles;
using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>
/// A file mapped into memory to be read, of which the system keeps what is used. It must not be cut short meanwhile: the system then ends
/// the process.
/// </summary>
sealed unsafe class MappedFile : IDisposable
{
    readonly MemoryMappedFile file;
    readonly MemoryMappedViewAccessor view;
    byte* start;

    MappedFile(string path)
    {
        Path = path;
        Length = new FileInfo(path).Length;
        if (Length == 0) throw new UserException($"'{path}' is empty");
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        view = file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    ~MappedFile() => Release();

    public string Path { get; }

    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="UserException">It cannot be read, or is empty.</exception>
    public static MappedFile Open(string path) => FileTrouble.Told($"cannot read '{path}'", () => new MappedFile(path));

    /// <summary>A stretch of the file; valid as long as this is held and not disposed of.</summary>
    /// <exception cref="UserException">It is not within the file.</exception>
    public ReadOnlySpan<byte> Span(long at, int count)
    {
        ObjectDisposedException.ThrowIf(start == null, this);
        return at >= 0 && count >= 0 && at <= Length - count ? new(start + at, count)
            : throw new UserException($"'{Path}' is damaged: its index leads outside of it");
    }

    /// <summary>A copy of a stretch of the file.</summary>
    /// <exception cref="UserException">It is not within the file.</exception>
    public byte[] Read(long at, int count)
    {
        var copy = Span(at, count).ToArray();
        GC.KeepAlive(this);
        return copy;
    }

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    void Release()
    {
        // The constructor may have failed before there was anything.
        if (start == null) return;
        start = null;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }
}
