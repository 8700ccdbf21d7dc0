using System.Buffers.Binary;
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
    const ushort Version = 20, Zip64Version = 45;
    const ushort Utf8Names = 1 << 11;
    const ushort FirstOfJanuary1980 = (1 << 5) | 1;
    const ushort PaddingId = 0x4246, Zip64Id = 1;
    const uint LargestOffset = uint.MaxValue - 1;
    const int LargestCount = ushort.MaxValue - 1;
    const int HeaderSize = 30;

    readonly List<(byte[] Name, uint Crc, uint Length, long Start)> entries = [];

    /// <summary>Adds a file.</summary>
    public void Add(string name, ReadOnlySpan<byte> content)
    {
        var entry = (Name: Encoding.UTF8.GetBytes(name), Crc: Crc32.HashToUInt32(content), Length: (uint)content.Length,
            Start: stream.Position);
        entries.Add(entry);
        // The padding is an extra field with a header of 4 bytes.
        var unpadded = entry.Start + HeaderSize + entry.Name.Length + 4;
        var padding = (int)(-unpadded & (alignment - 1));
        Write(0x04034b50u);
        Write(Version);
        WriteCommon(entry.Crc, entry.Length, entry.Name.Length, 4 + padding);
        stream.Write(entry.Name);
        Write(PaddingId);
        Write((ushort)padding);
        stream.Write(new byte[padding]);
        stream.Write(content);
    }

    /// <summary>Writes the directory, after which the archive is whole.</summary>
    public void Finish()
    {
        var start = stream.Position;
        foreach (var entry in entries)
        {
            var far = entry.Start > LargestOffset;
            Write(0x02014b50u);
            Write(far ? Zip64Version : Version);
            Write(far ? Zip64Version : Version);
            WriteCommon(entry.Crc, entry.Length, entry.Name.Length, far ? 12 : 0);
            stream.Write(new byte[10]);
            Write(far ? uint.MaxValue : (uint)entry.Start);
            stream.Write(entry.Name);
            if (!far) continue;
            Write(Zip64Id);
            Write((ushort)sizeof(long));
            Write(entry.Start);
        }
        var length = stream.Position - start;
        if (start > LargestOffset || length > LargestOffset || entries.Count > LargestCount) WriteZip64End(start, length);
        Write(0x06054b50u);
        Write(0u);
        Write((ushort)Math.Min(entries.Count, ushort.MaxValue));
        Write((ushort)Math.Min(entries.Count, ushort.MaxValue));
        Write((uint)Math.Min(length, uint.MaxValue));
        Write((uint)Math.Min(start, uint.MaxValue));
        Write((ushort)0);
    }

    /// <summary>What the header before a file and its entry in the directory have in common.</summary>
    void WriteCommon(uint crc, uint length, int name, int extra)
    {
        Write(Utf8Names);
        Write((ushort)0);
        Write((ushort)0);
        Write(FirstOfJanuary1980);
        Write(crc);
        Write(length);
        Write(length);
        Write((ushort)name);
        Write((ushort)extra);
    }

    void WriteZip64End(long start, long length)
    {
        var end = stream.Position;
        Write(0x06064b50u);
        Write(44L);
        Write(Zip64Version);
        Write(Zip64Version);
        Write(0L);
        Write((long)entries.Count);
        Write((long)entries.Count);
        Write(length);
        Write(start);
        Write(0x07064b50u);
        Write(0u);
        Write(end);
        Write(1u);
    }

    void Write(ushort value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    void Write(uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    void Write(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }
}
