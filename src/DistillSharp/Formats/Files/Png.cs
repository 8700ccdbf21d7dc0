using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace DistillSharp.Formats.Files;

/// <summary>Writes PNG pictures (ISO/IEC 15948) of eight bits a channel.</summary>
internal static class Png
{
    static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    const int Filters = 5;

    /// <summary>Encodes a picture.</summary>
    /// <param name="pixels">[H, W, C], row-major.</param>
    /// <param name="width">W.</param>
    /// <param name="height">H.</param>
    /// <param name="channels">C: 1 for gray, 3 for red, green, blue.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together, or the channels are others.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        if (channels is not (1 or 3))
            throw new ArgumentException($"a picture of {channels} channels cannot be written; 1 and 3 can", nameof(channels));
        if (width < 1 || height < 1 || pixels.Length != (long)width * height * channels)
            throw new ArgumentException($"{pixels.Length} bytes are no picture of {height}x{width}x{channels}", nameof(pixels));
        using var file = new MemoryStream();
        file.Write(Signature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8;
        header[9] = (byte)(channels == 1 ? 0 : 2);
        Chunk(file, "IHDR", header);
        Chunk(file, "IDAT", Deflate(pixels, width * channels, channels));
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    static void Chunk(Stream file, string type, ReadOnlySpan<byte> content)
    {
        var chunk = new byte[4 + 4 + content.Length + 4];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        content.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + content.Length), Crc32.HashToUInt32(chunk.AsSpan(4, 4 + content.Length)));
        file.Write(chunk);
    }

    static byte[] Deflate(ReadOnlySpan<byte> pixels, int stride, int pixel)
    {
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.SmallestSize))
        {
            ReadOnlySpan<byte> above = new byte[stride];
            var (line, best) = (new byte[1 + stride], new byte[1 + stride]);
            for (var start = 0; start < pixels.Length; start += stride)
            {
                var row = pixels.Slice(start, stride);
                var min = long.MaxValue;
                // The filter whose differences are smallest in sum packs best more often than not.
                for (byte filter = 0; filter < Filters; filter++)
                {
                    var cost = Filter(filter, row, above, pixel, line);
                    if (cost >= min) continue;
                    min = cost;
                    (line, best) = (best, line);
                }
                deflate.Write(best);
                above = row;
            }
        }
        return packed.ToArray();
    }

    static long Filter(byte filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int pixel, Span<byte> line)
    {
        var cost = 0L;
        line[0] = filter;
        for (var i = 0; i < row.Length; i++)
        {
            int left = i < pixel ? 0 : row[i - pixel], up = above[i], corner = i < pixel ? 0 : above[i - pixel];
            var difference = (sbyte)(
                row[i] - filter switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, _ => Paeth(left, up, corner) });
            line[i + 1] = (byte)difference;
            cost += Math.Abs((int)difference);
        }
        return cost;
    }

    static int Paeth(int left, int up, int corner)
    {
        var guess = left + up - corner;
        var (toLeft, toUp, toCorner) = (Math.Abs(guess - left), Math.Abs(guess - up), Math.Abs(guess - corner));
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
