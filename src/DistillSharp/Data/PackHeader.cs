using System.Buffers.Binary;
using System.Security.Cryptography;

namespace DistillSharp.Data;

/// <summary>
/// The beginning of a packed file, 64 bytes: eight that tell it, its form's version as a number of four bytes and four of nothing, where
/// its index begins and how long the file is as numbers of eight bytes, and the SHA-256 of all from the index on.
/// </summary>
static class PackHeader
{
    public const int Size = 64;

    const int Version = 1;

    static ReadOnlySpan<byte> Magic => "DSPACK\r\n"u8;

    /// <summary>Whether a file begins as a packed one does; false where it cannot be read.</summary>
    public static bool IsIn(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            Span<byte> start = stackalloc byte[Magic.Length];
            return RandomAccess.Read(file, start, 0) == start.Length && start.SequenceEqual(Magic);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Reads a file's header, and compares its index with the digest.</summary>
    /// <returns>Where the index begins; the images lie before it.</returns>
    /// <exception cref="UserException">It is no packed file, one of another version, cut short or damaged.</exception>
    public static long IndexOf(MappedFile file)
    {
        if (file.Length < Size || !file.Span(0, Magic.Length).SequenceEqual(Magic))
            throw new UserException($"'{file.Path}' is no packed file; `distill data pack` writes them");
        var header = file.Read(0, Size).AsSpan();
        if (BinaryPrimitives.ReadInt32LittleEndian(header[8..]) is var version and not Version)
            throw new UserException(
                $"'{file.Path}' was packed in version {version} of this form, and {Version} is read here; pack it anew");
        var (index, length) = (BinaryPrimitives.ReadInt64LittleEndian(header[16..]), BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
        if (length != file.Length)
            throw new UserException($"'{file.Path}' is cut short or damaged: it has {file.Length:N0} bytes, and says {length:N0}");
        if (index < Size || index > length || !DigestOf(file, index).SequenceEqual(header[32..]))
            throw new UserException($"'{file.Path}' is damaged: its index does not have the digest that was written with it");
        return index;
    }

    /// <summary>Ends a file that holds an empty header, images and, from a place on, its index, and stands at its end.</summary>
    public static void Write(FileStream file, long index)
    {
        file.Flush();
        file.Position = index;
        var digest = SHA256.HashData(file);
        Span<byte> header = stackalloc byte[Size];
        header.Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], index);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], file.Length);
        digest.CopyTo(header[32..]);
        file.Position = 0;
        file.Write(header);
    }

    static byte[] DigestOf(MappedFile file, long from)
    {
        const int piece = 1 << 24;
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var at = from; at < file.Length; at += piece) digest.AppendData(file.Span(at, (int)Math.Min(piece, file.Length - at)));
        return digest.GetHashAndReset();
    }
}
