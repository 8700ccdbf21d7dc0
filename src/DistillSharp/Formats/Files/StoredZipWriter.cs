using System.IO.Hashing;

namespace DistillSharp.Formats.Files;

/// <summary>
/// Writes a zip archive of uncompressed files whose bytes each start at a multiple of an alignment, which the framework's own writer cannot
/// do. Archives beyond 4 GiB get the zip64 records that they need. No times are recorded, so that the same content gives the same bytes.
/// </summary>
/// <param name="stream">Where to write; offsets count from its start.</param>
/// <param name="alignment">A power of two.</param>
internal sealed class StoredZipWriter(Stream stream, int alignment)
{
    const ushort Version = 20, Zip64Version = 45, Utf8Names = 1 << 11;
    const ushort FirstOfJanuary1980 = (1 << 5) | 1;
    const ushort PaddingId = 0x4246, Zip64Id = 1;
    const uint LargestOffset = uint.MaxValue - 1;
    const int LargestCount = ushort.MaxValue - 1, HeaderSize = 30;

    readonly List<Entry> entries = [];
    readonly BinaryWriter writer = new(stream);

    public void Add(string name, ReadOnlySpan<byte> content)
    {
        var entry = new Entry(Encoding.UTF8.GetBytes(name), Crc32.HashToUInt32(content), (uint)content.Length, stream.Position);
        entries.Add(entry);
        // The padding is an extra field with a header of 4 bytes.
        var unpadded = entry.Start + HeaderSize + entry.Name.Length + 4;
        var padding = (int)(-unpadded & (alignment - 1));
        Write(0x04034b50u, Version);
        WriteCommon(entry, 4 + padding);
        writer.Write(entry.Name);
        Write(PaddingId, (ushort)padding);
        writer.Write(new byte[padding]);
        writer.Write(content);
    }

    /// <summary>Writes the directory, after which the archive is whole.</summary>
    public void Finish()
    {
        var start = stream.Position;
        foreach (var entry in entries)
        {
            var far = entry.Start > LargestOffset;
            var version = far ? Zip64Version : Version;
            Write(0x02014b50u, version, version);
            WriteCommon(entry, far ? 12 : 0);
            writer.Write(new byte[10]);
            Write(far ? uint.MaxValue : (uint)entry.Start);
            writer.Write(entry.Name);
            if (far) Write(Zip64Id, (ushort)sizeof(long), entry.Start);
        }
        var length = stream.Position - start;
        if (start > LargestOffset || length > LargestOffset || entries.Count > LargestCount) WriteZip64End(start, length);
        var count = (ushort)Math.Min(entries.Count, ushort.MaxValue);
        Write(0x06054b50u, 0u, count, count, (uint)Math.Min(length, uint.MaxValue), (uint)Math.Min(start, uint.MaxValue), (ushort)0);
    }

    /// <summary>What the header before a file and its entry in the directory have in common.</summary>
    void WriteCommon(Entry entry, int extra) => Write(Utf8Names, 0u, FirstOfJanuary1980, entry.Crc, entry.Length, entry.Length,
        (ushort)entry.Name.Length, (ushort)extra);

    void WriteZip64End(long start, long length)
    {
        var (end, count) = (stream.Position, (long)entries.Count);
        Write(0x06064b50u, 44L, Zip64Version, Zip64Version, 0L, count, count, length, start);
        Write(0x07064b50u, 0u, end, 1u);
    }

    /// <summary>Numbers one after the other, each as wide as its type.</summary>
    void Write(params ReadOnlySpan<ValueType> numbers)
    {
        foreach (var number in numbers)
            if (number is ushort two) writer.Write(two);
            else if (number is uint four) writer.Write(four);
            else writer.Write((long)number);
    }

    sealed record Entry(byte[] Name, uint Crc, uint Length, long Start);
}
