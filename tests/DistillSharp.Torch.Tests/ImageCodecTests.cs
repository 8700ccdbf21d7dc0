using System.Buffers.Binary;

namespace DistillSharp.Torch.Tests;

/// <summary>Every kind of JPEG and PNG against values known beforehand, and damage of every kind.</summary>
public class ImageCodecTests
{
    const int Width = 13, Height = 9;

    static byte[] File(string name) => System.IO.File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", name));

    static byte Value(int y, int x, int c) => (byte)(37 * y + 11 * x + 85 * c);

    static byte[] Expected(Func<int, int, int, byte> value) =>
        [.. from y in Enumerable.Range(0, Height) from x in Enumerable.Range(0, Width) from c in Enumerable.Range(0, 3) select value(
            y, x, c)];

    static void Check(string file, Func<int, int, int, byte> value)
    {
        var image = ImageCodec.Decode(File(file));
        Assert.Equal((Height, Width), (image.Height, image.Width));
        Assert.Equal(Expected(value), image.Pixels);
    }

    [Theory]
    [InlineData("rgb.png")]
    [InlineData("rgba.png")]
    [InlineData("rgb16.png")]
    [InlineData("interlaced.png")]
    public void Color_PNGs_give_their_values(string file) => Check(file, Value);

    [Theory]
    [InlineData("gray.png")]
    [InlineData("gray-alpha.png")]
    public void Gray_PNGs_become_three_equal_channels(string file) => Check(file, (y, x, _) => Value(y, x, 0));

    // The file holds each value 257 times as large; Pillow reads it as a whole number and cuts off what is above 255.
    [Fact]
    public void Gray_of_16_bits_is_cut_off_as_by_Pillow() => Check("gray16.png", (y, x, _) => (byte)(Value(y, x, 0) == 0 ? 0 : 255));

    [Fact]
    public void Few_bits_are_spread_over_the_whole_range() => Check("gray2.png", (y, x, _) => (byte)((y + x) % 4 * 85));

    [Fact]
    public void A_palette_is_looked_up_and_its_transparency_dropped() => Check("palette.png", (y, x, c) =>
    {
        var entry = (3 * y + x) % 16;
        return (byte)(c == 0 ? entry * 16 : c == 1 ? 255 - entry : entry);
    });

    [Theory]
    [InlineData("color.jpg")]
    [InlineData("progressive.jpg")]
    [InlineData("gray.jpg")]
    [InlineData("cmyk.jpg")]
    public void JPEGs_give_what_Pillow_gives(string file)
    {
        var image = ImageCodec.Decode(File(file));
        Assert.Equal((Height * 3, Width * 3), (image.Height, image.Width));
        Assert.Equal(File(file + ".rgb"), image.Pixels);
    }

    [Theory]
    [InlineData("color.jpg")]
    [InlineData("progressive.jpg")]
    [InlineData("rgb.png")]
    [InlineData("interlaced.png")]
    public void An_image_cut_short_is_refused(string name)
    {
        var file = File(name);
        for (var length = 0; length < file.Length - 16; length += 1 + length / 20)
            Assert.Throws<TorchException>(() => ImageCodec.Decode(file.AsSpan(0, length)));
    }

    [Fact]
    public void A_written_photograph_is_nearly_its_pixels()
    {
        var image = ImageCodec.Decode(File("color.jpg"));
        double last = 255;
        foreach (var quality in new[] { 10, 50, 90, 100 })
        {
            var written = ImageCodec.Decode(ImageCodec.EncodeJpeg(image.Pixels, image.Height, image.Width, quality));
            Assert.Equal((image.Height, image.Width), (written.Height, written.Width));
            var difference = image.Pixels.Zip(written.Pixels).Average(pair => Math.Abs(pair.First - pair.Second));
            Assert.InRange(difference, 0, last - .01);
            last = difference;
        }
        Assert.InRange(last, 0, 3);
        // Noise and single pixels take the most bytes for their size.
        var noise = new byte[40 * 33 * 3];
        new Random(1).NextBytes(noise);
        Assert.Equal(noise.Length, ImageCodec.Decode(ImageCodec.EncodeJpeg(noise, 40, 33, 100)).Pixels.Length);
        foreach (var (height, width) in new[] { (1, 1), (1, 440), (440, 1) })
            Assert.Equal(
                (height, width), ImageCodec.Size(ImageCodec.EncodeJpeg(noise.AsSpan(0, height * width * 3), height, width, 100)));
        Assert.Contains("1 to 100, not 0", Assert.Throws<TorchException>(() => ImageCodec.EncodeJpeg(noise, 40, 33, 0)).Message);
        var wide = new byte[3 * 70000];
        Assert.Contains("as a JPEG image", Assert.Throws<TorchException>(() => ImageCodec.EncodeJpeg(wide, 1, 70000, 90)).Message);
        Assert.Throws<ArgumentException>(() => ImageCodec.EncodeJpeg(noise, 40, 32, 90));
    }

    [Fact]
    public void What_is_no_image_is_refused()
    {
        Assert.Contains("is empty", Assert.Throws<TorchException>(() => ImageCodec.Decode([])).Message);
        Assert.Contains("neither a JPEG nor a PNG", Assert.Throws<TorchException>(() => ImageCodec.Decode("GIF89a"u8)).Message);
    }

    [Fact]
    public void A_small_file_cannot_claim_a_large_image()
    {
        var png = File("rgb.png");
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var (width, height) in new[] { (60_000, 60_000), (10_000, 10_000), (65_536, 1), (int.MaxValue, int.MaxValue), (0, 5) })
            Assert.Throws<TorchException>(() => ImageCodec.Decode(Resized(png, width, height)));
        var jpeg = File("color.jpg");
        var frame = jpeg.AsSpan().IndexOf([(byte)0xff, (byte)0xc0]);
        jpeg.AsSpan(frame + 5, 4).Fill(0xc3);
        Assert.Contains("claims 50115x50115 pixels", Assert.Throws<TorchException>(() => ImageCodec.Decode(jpeg)).Message);
        jpeg.AsSpan(frame + 5, 4).Fill(0x27);
        Assert.Contains("cannot hold", Assert.Throws<TorchException>(() => ImageCodec.Decode(jpeg)).Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    static byte[] Resized(byte[] png, int width, int height)
    {
        var copy = (byte[])png.Clone();
        BinaryPrimitives.WriteInt32BigEndian(copy.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(copy.AsSpan(20), height);
        Sign(copy, 12, 17);
        return copy;
    }

    /// <summary>Makes the checksum of the chunk whose kind stands at a place right again.</summary>
    static void Sign(byte[] png, int kind, int length) =>
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(kind + length), PngChecksum(png.AsSpan(kind, length)));

    static uint PngChecksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }
        return ~crc;
    }

    [Theory]
    [InlineData("color.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg")]
    [InlineData("rgb.png", "interlaced.png", "palette.png", "gray16.png")]
    public void Damaged_images_are_read_or_refused_but_never_crash_or_hang(params string[] names)
    {
        var cases = int.TryParse(Environment.GetEnvironmentVariable("DISTILLSHARP_FUZZ"), out var given) ? given : 10_000;
        var files = Array.ConvertAll(names, File);
        var (read, refused) = (0, 0);
        var started = Environment.TickCount64;
        for (var seed = 0; seed < cases; seed++)
        {
            var random = new Random(seed);
            var damaged = Damage((byte[])files[seed % files.Length].Clone(), random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var image = ImageCodec.Decode(damaged);
                Assert.Equal(image.Height * image.Width * 3, image.Pixels.Length);
                read++;
            }
            catch (TorchException refusal)
            {
                Assert.False(string.IsNullOrWhiteSpace(refusal.Message));
                refused++;
            }
            // One bit of a JPEG can stand for a whole block of 8x8 pixels, one byte of a PNG for about 1,000 values.
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 3L * 1032 * 8 * damaged.Length + (1 << 16), $"seed {seed}");
        }
        Assert.True(read > 0 && refused > 0, $"{read} read, {refused} refused");
        Assert.True(
            Environment.TickCount64 - started < 60_000 * Math.Max(1, cases / 10_000),
            $"{cases} cases took {Environment.TickCount64 - started} ms");
    }

    static byte[] Damage(byte[] file, Random random)
    {
        for (var left = 1 + random.Next(4); left > 0; left--)
        {
            var at = random.Next(file.Length);
            switch (random.Next(4))
            {
                case 0: file[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: file[at] = (byte)random.Next(256); break;
                case 2: file[at] = random.Next(2) == 0 ? (byte)0 : (byte)0xff; break;
                default:
                    if (random.Next(4) == 0 && at > 0) file = file[..at];
                    break;
            }
        }
        // A PNG's checksums would hide most damage from the code behind them.
        if (file.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P']) && random.Next(2) == 0) SignAll(file);
        return file;
    }

    static void SignAll(byte[] png)
    {
        for (long at = 8; at + 12 <= png.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan((int)at)) + 4L;
            if (at + 8 + length > png.Length) return;
            Sign(png, (int)at + 4, (int)length);
            at += length + 8;
        }
    }
}
