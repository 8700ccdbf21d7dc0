using System.IO.Compression;
using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>
/// A file read once from front to back, unpacked on the way if it is gzipped. The file is not trusted: nothing larger is
/// ever allocated than the file can hold, and a packed file may grow at most tenfold.
/// </summary>
sealed class UnpackedFile : IDisposable
{
    const int MaxGrowth = 10, SmallFile = 64 * 1024;
    readonly Stream stream;
    readonly long limit;

    UnpackedFile(Stream raw, string name)
    {
        Name = name;
        var start = new byte[6];
        var known = raw.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        raw.Position = 0;
        if (UnreadablePacking(start.AsSpan(0, known)) is { } packing)
            throw new UserException($"'{name}' is packed with {packing}, which cannot be read here; unpack it first");
        IsPacked = start is [0x1F, 0x8B, ..];
        stream = IsPacked ? new GZipStream(raw, CompressionMode.Decompress) : raw;
        limit = IsPacked ? raw.Length * MaxGrowth + SmallFile : raw.Length;
    }

    public bool IsPacked { get; }

    /// <summary>The file's path, for messages.</summary>
    public string Name { get; }

    /// <summary>Bytes read so far, counted after unpacking.</summary>
    public long Position { get; private set; }

    /// <summary>No more bytes than this can follow.</summary>
    public long Left => limit - Position;

    /// <exception cref="UserException">The file is missing or cannot be read, or is packed with something else than gzip.</exception>
    /// <param name="path">The file.</param>
    /// <param name="ahead">How much is read at once: little where most of the file is passed over.</param>
    public static UnpackedFile Open(string path, int ahead = 1 << 16) => FileTrouble.Told($"cannot read '{path}'", () =>
        new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, ahead).OrDispose(raw => new UnpackedFile(raw, path)));

    /// <summary>Over bytes in memory.</summary>
    public static UnpackedFile Over(byte[] content, string name) => new(new MemoryStream(content, writable: false), name);

    /// <summary>Reads until the buffer is full or the file ends; says how many bytes.</summary>
    public int Read(Span<byte> buffer)
    {
        int read;
        try
        {
            read = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw new UserException($"'{Name}' is damaged: its gzip data cannot be unpacked after byte {Position}", e);
        }
        catch (IOException e)
        {
            throw FileTrouble.Report($"cannot read '{Name}'", e);
        }
        Position += read;
        if (Position > limit)
            throw new UserException($"'{Name}' unpacks to more than {MaxGrowth} times its size, which no "
                + "data set does; if it is right, unpack it first");
        return read;
    }

    /// <summary>The next bytes, exactly so many.</summary>
    /// <param name="count">How many, as the file claims.</param>
    /// <param name="what">What they are, for the message.</param>
    /// <exception cref="UserException">The file ends before, or cannot hold so many.</exception>
    public byte[] ReadExactly(long count, string what)
    {
        if (count > Left || count > Array.MaxLength) throw TooShort(count, what, Left);
        var content = new byte[count];
        var read = Read(content);
        return read == count ? content : throw TooShort(count, what, read);
    }

    /// <summary>Passes over bytes.</summary>
    /// <inheritdoc cref="ReadExactly"/>
    public void Skip(long count, string what)
    {
        if (count > Left) throw TooShort(count, what, Left);
        if (!IsPacked)
        {
            stream.Position += count;
            Position += count;
            return;
        }
        var scratch = new byte[Math.Min(count, 1 << 16)];
        for (var left = count; left > 0;)
        {
            var read = Read(scratch.AsSpan(0, (int)Math.Min(left, scratch.Length)));
            if (read == 0) throw TooShort(count, what, count - left);
            left -= read;
        }
    }

    /// <summary>Whether nothing follows; for a gzipped file its checksum has then been verified.</summary>
    public bool AtEnd() => Read(stackalloc byte[1]) == 0;

    public void Dispose() => stream.Dispose();

    UserException TooShort(long count, string what, long present) =>
        new($"'{Name}' is cut short or damaged: {what} would take {count} bytes, but no more than {present} are there");

    static string? UnreadablePacking(ReadOnlySpan<byte> start) => start switch
    {
        [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => "xz",
        [(byte)'B', (byte)'Z', (byte)'h', ..] => "bzip2",
        [(byte)'P', (byte)'K', 3, 4, ..] => "zip",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
        _ => null,
    };
}
