using System.Buffers.Text;

namespace DistillSharp.Data;

/// <summary>
/// Reads named files out of a tar archive (ustar, pax or GNU; plain or gzipped). Entries are compared with the wanted names
/// and never written anywhere, so no path in an archive can lead outside.
/// </summary>
/// <remarks>System.Formats.Tar allocates whatever length a damaged header claims; here a claim is checked first.</remarks>
static class TarArchive
{
    const int Block = 512, MaxMetadata = 64 * 1024;

    /// <summary>The wanted files that are in the archive, by name.</summary>
    /// <exception cref="UserException">It is no tar archive, is cut short or damaged.</exception>
    public static Dictionary<string, byte[]> Read(UnpackedFile file, IReadOnlySet<string> wanted)
    {
        var found = new Dictionary<string, byte[]>();
        foreach (var (name, size) in Entries(file))
            if (wanted.Contains(name)) found[name] = file.ReadExactly(size, $"its entry '{name}'");
        return found;
    }

    /// <summary>
    /// The files that are in the archive, one after the other. While one is at hand, <paramref name="file"/> stands at its content, of
    /// which as much may be read as is wanted.
    /// </summary>
    /// <exception cref="UserException">It is no tar archive, is cut short or damaged.</exception>
    public static IEnumerable<(string Name, long Size)> Entries(UnpackedFile file)
    {
        var header = new byte[Block];
        var (longName, longSize) = (default(string), default(long?));
        while (NextHeader(file, header))
        {
            var type = (char)header[156];
            var size = Number(header.AsSpan(124, 12)) ?? throw Damaged(file, "the size of an entry is no number");
            if (type is 'x' or 'L')
            {
                if (size > MaxMetadata) throw Damaged(file, $"an entry's name takes {size} bytes");
                var metadata = file.ReadExactly(size, "a tar header");
                if (type == 'L') longName = Text(metadata);
                else (longName, longSize) = Extended(file, metadata, longName);
            }
            else
            {
                size = longSize ?? size;
                var start = file.Position;
                if (type is '0' or '\0' or '7') yield return (Plain(longName ?? ShortName(header)), size);
                file.Skip(size - (file.Position - start), "an entry");
                (longName, longSize) = (null, null);
            }
            file.Skip(Math.Min((Block - size % Block) % Block, file.Left), "padding");
        }
        while (!file.AtEnd()) file.Read(header);
    }

    static bool NextHeader(UnpackedFile file, byte[] header)
    {
        var first = file.Position == 0;
        var read = file.Read(header);
        if (read == 0 && !first) return false;
        if (read == Block && !header.AsSpan().ContainsAnyExcept((byte)0)) return false;
        if (read == Block && Number(header.AsSpan(148, 8)) == Checksum(header)) return true;
        throw first
            ? new UserException($"'{file.Name}' is not a tar archive")
            : Damaged(file, read < Block ? "it ends within a header" : "a header's checksum is wrong");
    }

    static long Checksum(ReadOnlySpan<byte> header)
    {
        var sum = 8L * ' ';
        for (var i = 0; i < Block; i++)
            if (i is < 148 or >= 156) sum += header[i];
        return sum;
    }

    /// <summary>Octal digits between spaces and zeros, or GNU's big-endian form marked by the top bit; null when neither.</summary>
    static long? Number(ReadOnlySpan<byte> field)
    {
        long value = 0;
        if (field[0] == 0x80)
        {
            foreach (var part in field[1..])
            {
                if (value >> 54 != 0) return null;
                value = value << 8 | part;
            }
            return value;
        }
        foreach (var digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7') return null;
            value = value * 8 + (digit - '0');
        }
        return value;
    }

    static string ShortName(ReadOnlySpan<byte> header)
    {
        var prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.Slice(345, 155)) : "";
        var name = Text(header[..100]);
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    /// <summary>Records of the form <c>length key=value\n</c>, the length counting itself.</summary>
    static (string? Name, long? Size) Extended(UnpackedFile file, ReadOnlySpan<byte> records, string? name)
    {
        long? size = null;
        while (!records.IsEmpty)
        {
            if (!Utf8Parser.TryParse(records, out int length, out var digits) || length <= digits + 1 || length > records.Length)
                throw Damaged(file, "an extended header is malformed");
            var record = records[(digits + 1)..(length - 1)];
            if (record.StartsWith("path="u8)) name = Text(record[5..]);
            else if (record.StartsWith("size="u8) && Utf8Parser.TryParse(record[5..], out long claimed, out _) && claimed >= 0)
                size = claimed;
            records = records[length..];
        }
        return (name, size);
    }

    static string Text(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    static string Plain(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;

    static UserException Damaged(UnpackedFile file, string how) => new($"'{file.Name}' is damaged at byte {file.Position}: {how}");
}
