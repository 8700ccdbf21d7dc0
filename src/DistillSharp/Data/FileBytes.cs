using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace DistillSharp.Data;

/// <summary>A file's content, in memory that is used again or mapped: valid until it is disposed of, which is to be done once.</summary>
readonly ref struct FileBytes : IDisposable
{
    readonly byte[]? rented;
    readonly MappedFile? mapped;

    FileBytes(byte[] rented, int count)
    {
        this.rented = rented;
        Span = rented.AsSpan(0, count);
    }

    /// <summary>A stretch of a mapped file.</summary>
    /// <exception cref="UserException">It is not within the file.</exception>
    public FileBytes(MappedFile mapped, long at, int count)
    {
        this.mapped = mapped;
        Span = mapped.Span(at, count);
    }

    public ReadOnlySpan<byte> Span { get; }

    /// <summary>Reads a stretch of a file.</summary>
    /// <returns>Fewer bytes than asked for where the file ends before.</returns>
    public static FileBytes Read(SafeFileHandle file, long at, int count)
    {
        var rented = ArrayPool<byte>.Shared.Rent(Math.Max(1, count));
        try
        {
            var read = 0;
            for (int more; read < count && (more = RandomAccess.Read(file, rented.AsSpan(read, count - read), at + read)) > 0;)
                read += more;
            return new(rented, read);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(rented);
            throw;
        }
    }

    public void Dispose()
    {
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        // Nothing else may hold the map by now.
        GC.KeepAlive(mapped);
    }
}
