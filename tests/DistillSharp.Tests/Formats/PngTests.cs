using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using DistillSharp.Formats.Files;

namespace DistillSharp.Tests.Formats;

public class PngTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 5, 3)]
    [InlineData(64, 33, 1)]
    [InlineData(40, 50, 3)]
    public void A_decoder_gets_the_pixels_back(int width, int height, int channels)
    {
        var random = new Random(width);
        // Smooth with noise, so that every filter is chosen somewhere.
        var pixels = Enumerable.Range(0, width * height * channels)
            .Select(i =>
                (byte)(i / channels % width * 3 + i / channels / width * (i % 7 == 0 ? random.Next(9) : 2)
                    + (i / channels / width % 4 == 0 ? random.Next(256) : 0))).ToArray();
        Assert.Equal(pixels, Decode(Png.Encode(pixels, width, height, channels), width, height, channels));
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Png.Encode(new byte[11], 2, 2, 3));
        Assert.Throws<ArgumentException>(() => Png.Encode(new byte[8], 2, 2, 2));
    }

    // Written from the standard's text (chapters 5, 9), knowing nothing of the encoder.
    static byte[] Decode(ReadOnlySpan<byte> file, int width, int height, int channels)
    {
        Assert.Equal("89504E470D0A1A0A", Convert.ToHexString(file[..8]));
        file = file[8..];
        var packed = new MemoryStream();
        var types = new List<string>();
        while (file.Length > 0)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file);
            var (type, content) = (Encoding.ASCII.GetString(file.Slice(4, 4)), file.Slice(8, length).ToArray());
            types.Add(type);
            Assert.Equal(Crc(file.Slice(4, 4 + length)), BinaryPrimitives.ReadUInt32BigEndian(file[(8 + length)..]));
            if (type == "IHDR")
            {
                Assert.Equal(
                    (width, height),
                    (BinaryPrimitives.ReadInt32BigEndian(content), BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(4))));
                Assert.Equal([8, (byte)(channels == 1 ? 0 : 2), 0, 0, 0], content[8..]);
            }
            if (type == "IDAT") packed.Write(content);
            file = file[(12 + length)..];
        }
        Assert.Equal(["IHDR", "IDAT", "IEND"], types);

        packed.Position = 0;
        using var inflated = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionMode.Decompress)) zlib.CopyTo(inflated);
        var lines = inflated.ToArray();
        var stride = width * channels;
        Assert.Equal(height * (stride + 1), lines.Length);
        var pixels = new byte[height * stride];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < stride; x++)
            {
                int a = x >= channels ? pixels[y * stride + x - channels] : 0, b = y > 0 ? pixels[(y - 1) * stride + x] : 0;
                int c = x >= channels && y > 0 ? pixels[(y - 1) * stride + x - channels] : 0, p = a + b - c;
                var (pa, pb, pc) = (Math.Abs(p - a), Math.Abs(p - b), Math.Abs(p - c));
                var predicted = lines[y * (stride + 1)] switch
                {
                    0 => 0,
                    1 => a,
                    2 => b,
                    3 => (a + b) >> 1,
                    4 => pa <= pb && pa <= pc ? a : pb <= pc ? b : c,
                    var other => throw new InvalidDataException($"filter {other}"),
                };
                pixels[y * stride + x] = (byte)(lines[y * (stride + 1) + 1 + x] + predicted);
            }
        return pixels;
    }

    static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 1 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        }
        return ~crc;
    }
}
