using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DistillSharp.Formats;

/// <summary>
/// The checksum of zip archives (polynomial 0xEDB88320). The framework has one, but shows it to no one; this one takes
/// eight bytes a step ("slicing by eight").
/// </summary>
internal static class Crc32
{
    const uint Polynomial = 0xEDB88320;
    const int Slices = 8;

    static readonly uint[] table = MakeTable();

    /// <summary>The checksum of the bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> data)
    {
        var crc = ~0u;
        var lookup = table.AsSpan();
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(data))
        {
            var mixed = (BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word)) ^ crc;
            crc = lookup[7 * 256 + (byte)mixed]
                ^ lookup[6 * 256 + (byte)(mixed >> 8)]
                ^ lookup[5 * 256 + (byte)(mixed >> 16)]
                ^ lookup[4 * 256 + (byte)(mixed >> 24)]
                ^ lookup[3 * 256 + (byte)(mixed >> 32)]
                ^ lookup[2 * 256 + (byte)(mixed >> 40)]
                ^ lookup[1 * 256 + (byte)(mixed >> 48)]
                ^ lookup[(byte)(mixed >> 56)];
        }
        foreach (var value in data[^(data.Length % Slices)..]) crc = lookup[(byte)(crc ^ value)] ^ (crc >> 8);
        return ~crc;
    }

    static uint[] MakeTable()
    {
        var made = new uint[Slices * 256];
        for (var i = 0u; i < 256; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ Polynomial : crc >> 1;
            made[i] = crc;
        }
        for (var i = 256; i < made.Length; i++) made[i] = made[(byte)made[i - 256]] ^ (made[i - 256] >> 8);
        return made;
    }
}
