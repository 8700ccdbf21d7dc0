using System.IO.Hashing;

namespace DistillSharp.Formats.Files;

/// <summary>
/// Writes a zip archive of uncompressed files whose bytes each start at a multiple of an alignment, which the framework's
/// own writer cannot do. Archives beyond 4 GiB get the zip64 records that they need. No times are recorded, so that the
/// same content gives the same bytes.
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

    readonly List<(byte[] Name, uint Crc, uint Length, long Start)> entries = [];
    readonly BinaryWriter writer = new(stream);

    /// <summary>Adds a file.</summary>
    public void Add(string name, ReadOnlySpan<byte> content)
    {
        var entry = (Name: Encoding.UTF8.GetBytes(name), Crc: Crc32.HashToUInt32(content), Length: (uint)content.Length,
            Start: stream.Position);
        entries.Add(entry);
        // The padding is an extra field with a header of 4 bytes.
        var unpadded = entry.Start + HeaderSize + entry.Name.Length + 4;
        var padding = (int)(-unpadded & (alignment - 1));
        writer.Write(0x04034b50u);
        writer.Write(Version);
        WriteCommon(entry.Crc, entry.Length, entry.Name.Length, 4 + padding);
        writer.Write(entry.Name);
        writer.Write(PaddingId);
        writer.Write((ushort)padding);
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
            writer.Write(0x02014b50u);
            writer.Write(far ? Zip64Version : Version);
            writer.Write(far ? Zip64Version : Version);
            WriteCommon(entry.Crc, entry.Length, entry.Name.Length, far ? 12 : 0);
            writer.Write(new byte[10]);
            writer.Write(far ? uint.MaxValue : (uint)entry.Start);
            writer.Write(entry.Name);
            if (!far) continue;
            writer.Write(Zip64Id);
            writer.Write((ushort)sizeof(long));
            writer.Write(entry.Start);
        }
        var length = stream.Position - start;
        if (start > LargestOffset || length > LargestOffset || entries.Count > LargestCount) WriteZip64End(start, length);
        writer.Write(0x06054b50u);
        writer.Write(0u);
        writer.Write((ushort)Math.Min(entries.Count, ushort.MaxValue));
        writer.Write((ushort)Math.Min(entries.Count, ushort.MaxValue));
        writer.Write((uint)Math.Min(length, uint.MaxValue));
        writer.Write((uint)Math.Min(start, uint.MaxValue));
        writer.Write((ushort)0);
    }

    /// <summary>What the header before a file and its entry in the directory have in common.</summary>
    void WriteCommon(uint crc, uint length, int name, int extra)
    {
        writer.Write(Utf8Names);
        writer.Write((ushort)0);
        writer.Write((ushort)0);
        writer.Write(FirstOfJanuary1980);
        writer.Write(crc);
        writer.Write(length);
        writer.Write(length);
        writer.Write((ushort)name);
        writer.Write((ushort)extra);
    }

    void WriteZip64End(long start, long length)
    {
        var end = stream.Position;
        writer.Write(0x06064b50u);
        writer.Write(44L);
        writer.Write(Zip64Version);
        writer.Write(Zip64Version);
        writer.Write(0L);
        writer.Write((long)entries.Count);
        writer.Write((long)entries.Count);
        writer.Write(length);
        writer.Write(start);
        writer.Write(0x07064b50u);
        writer.Write(0u);
        writer.Write(end);
        writer.Write(1u);
    }
}
