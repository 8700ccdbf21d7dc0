using System.Buffers.Binary;
using System.IO.Compression;

namespace DistillSharp.Data;

/// <summary>An array of bytes.</summary>
/// <param name="Sizes">Its dimensions.</param>
/// <param name="Values">Its values, the first dimension counting fastest.</param>
sealed record MatlabArray(IReadOnlyList<int> Sizes, byte[] Values);

/// <summary>
/// Reads arrays of bytes out of MATLAB files, version 5 (MAT-File Format, MathWorks), little-endian: what SVHN is published in. A file is
/// 128 bytes and then elements, each a type, a length and data filled up to 8 bytes; some are packed by zlib.
/// </summary>
static class MatlabFile
{
    const int HeaderBytes = 128, MaxGrowth = 20;
    const uint Int8 = 1, UInt8 = 2, Int32 = 5, UInt32 = 6, Matrix = 14, Compressed = 15;

    /// <summary>The arrays of bytes in a file, by name; arrays of other types are left out.</summary>
    /// <exception cref="UserException">It is no such file, or damaged.</exception>
    public static Dictionary<string, MatlabArray> Read(byte[] content, string where)
    {
        if (content.Length < HeaderBytes || content[126] != 'I' || content[127] != 'M')
            throw new UserException($"'{where}' is no MATLAB file of version 5");
        var found = new Dictionary<string, MatlabArray>();
        for (ReadOnlyMemory<byte> rest = content.AsMemory(HeaderBytes); rest.Length >= 8;)
        {
            // Elements of the file itself are not filled up where they are packed.
            var (type, data) = Next(ref rest, where, fill: BinaryPrimitives.ReadUInt32LittleEndian(rest.Span) != Compressed);
            if (type == Compressed)
            {
                ReadOnlyMemory<byte> inner = Unpack(data, where);
                (type, data) = Next(ref inner, where, fill: true);
            }
            if (type == Matrix && ReadMatrix(data, where) is var (name, array)) found[name] = array;
        }
        return found;
    }

    static (string Name, MatlabArray Array)? ReadMatrix(ReadOnlyMemory<byte> data, string where)
    {
        var flags = Expect(ref data, UInt32, where);
        var sizes = Expect(ref data, Int32, where);
        var name = Encoding.ASCII.GetString(Expect(ref data, Int8, where).Span);
        var (type, values) = Next(ref data, where, fill: true);
        // The class in the flags may be a wider one: values are stored as small as they can be.
        if (flags.Length != 8 || type != UInt8) return null;
        var dimensions = new int[sizes.Length / 4];
        for (var i = 0; i < dimensions.Length; i++) dimensions[i] = BinaryPrimitives.ReadInt32LittleEndian(sizes.Span[(4 * i)..]);
        var product = dimensions.Aggregate(1L, (all, size) => size >= 0 && all <= int.MaxValue ? all * size : long.MaxValue);
        return product == values.Length ? (name, new(dimensions, values.ToArray()))
            : throw Damaged(where, $"its array '{name}' of {string.Join("x", dimensions)} has {values.Length} values");
    }

    static ReadOnlyMemory<byte> Expect(ref ReadOnlyMemory<byte> rest, uint type, string where)
    {
        var (found, data) = Next(ref rest, where, fill: true);
        return found == type ? data : throw Damaged(where, $"an element has type {found} instead of {type}");
    }

    static (uint Type, ReadOnlyMemory<byte> Data) Next(ref ReadOnlyMemory<byte> rest, string where, bool fill)
    {
        if (rest.Length < 8) throw Damaged(where, "it ends within an element");
        var (type, length) = (BinaryPrimitives.ReadUInt32LittleEndian(rest.Span), BinaryPrimitives.ReadUInt32LittleEndian(rest.Span[4..]));
        // Data of up to 4 bytes may stand in the length's place, and their length in the type's upper half.
        if (type >> 16 is > 0 and var small)
        {
            if (small > 4) throw Damaged(where, "a small element is too long");
            var own = rest.Slice(4, (int)small);
            rest = rest[8..];
            return (type & 0xffff, own);
        }
        if (length > rest.Length - 8) throw Damaged(where, $"an element would take {length} bytes, but {rest.Length - 8} are there");
        var data = rest.Slice(8, (int)length);
        rest = rest[Math.Min(rest.Length, 8 + (int)length + (fill ? (int)(8 - length % 8) % 8 : 0))..];
        return (type, data);
    }

    static byte[] Unpack(ReadOnlyMemory<byte> packed, string where)
    {
        using var unpacked = new MemoryStream();
        using var stream = new ZLibStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        var buffer = new byte[1 << 16];
        try
        {
            for (int read; (read = stream.Read(buffer)) > 0; unpacked.Write(buffer, 0, read))
                if (unpacked.Length > (long)packed.Length * MaxGrowth + buffer.Length)
                    throw Damaged(where, $"an element unpacks to more than {MaxGrowth} times its size");
        }
        catch (InvalidDataException e)
        {
            throw new UserException($"'{where}' is damaged: an element cannot be unpacked", e);
        }
        return unpacked.ToArray();
    }

    static UserException Damaged(string where, string how) => new($"'{where}' is damaged: {how}");
}
