using System.Buffers;
using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>An image in memory.</summary>
/// <param name="Pixels">RGB, each value 0..255: [H, W, 3] row-major.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public sealed record DecodedImage(byte[] Pixels, int Height, int Width);

/// <summary>An area of a JPEG image that is scaled while it is decoded.</summary>
/// <param name="Eighths">The image's scale: 8 for its own size, 4, 2 or 1 for a half, a quarter, an eighth; sides are rounded up.</param>
/// <param name="Top">First row of the area, in the scaled image.</param>
/// <param name="Left">First column.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct JpegPart(int Eighths, int Top, int Left, int Height, int Width);

/// <summary>Chooses an area of a JPEG image, once its size is known.</summary>
/// <param name="height">The image's rows.</param>
/// <param name="width">The image's columns.</param>
/// <param name="part">The area.</param>
/// <returns>Where its pixels go, RGB: [height, width, 3] of the area; it may be longer.</returns>
public delegate Memory<byte> JpegPartChoice(int height, int width, out JpegPart part);

/// <summary>
/// Reads JPEG and PNG files by libjpeg-turbo and libpng. Whatever the file's colors are (gray, palette, CMYK, 16 bits), the
/// result is 8-bit RGB; an alpha channel is dropped, and nothing is turned, as with Pillow's <c>convert("RGB")</c>.
/// </summary>
public static unsafe class ImageCodec
{
    // What a file takes beside its pixels' bits.
    const int JpegHeaders = 1 << 12;

    /// <summary>Decodes a whole file's content.</summary>
    /// <exception cref="TorchException">It is neither JPEG nor PNG, is damaged or cut short, or claims more pixels than its length or the
    /// limit of 2^27 allows. The message is a sentence without its subject: "is a damaged PNG image: it ends early".</exception>
    public static DecodedImage Decode(ReadOnlySpan<byte> file)
    {
        fixed (byte* bytes = file)
        {
            using var image = new Opened(bytes, file.Length);
            var pixels = GC.AllocateUninitializedArray<byte>(checked(image.Height * image.Width * 3));
            fixed (byte* start = pixels) Native.Check(Native.ds_image_read(image.Handle, start, pixels.Length));
            return new(pixels, image.Height, image.Width);
        }
    }

    /// <summary>The size of an image, from its header alone.</summary>
    /// <inheritdoc cref="Decode"/>
    public static (int Height, int Width) Size(ReadOnlySpan<byte> file)
    {
        fixed (byte* bytes = file)
        {
            using var image = new Opened(bytes, file.Length);
            return (image.Height, image.Width);
        }
    }

    /// <summary>
    /// Decodes an area of a JPEG file, and as little else as that takes; the file's header is read once. At eight eighths every pixel is
    /// that of <see cref="Decode"/>; at fewer, libjpeg-turbo scales while it decodes. Damage behind the area goes unnoticed.
    /// </summary>
    /// <param name="file">The whole file's content.</param>
    /// <param name="choose">Says which area, and where its pixels go.</param>
    /// <exception cref="TorchException">It is no JPEG file or a damaged one, or the area is not within the image.</exception>
    public static void DecodeJpegPart(ReadOnlySpan<byte> file, JpegPartChoice choose)
    {
        fixed (byte* bytes = file)
        {
            using var image = new Opened(bytes, file.Length);
            var pixels = choose(image.Height, image.Width, out var part).Span;
            fixed (byte* start = pixels)
                Native.Check(Native.ds_image_read_part(
                    image.Handle, part.Eighths, part.Top, part.Left, part.Height, part.Width, start, pixels.Length));
        }
    }

    /// <summary>Writes an image as a JPEG file, with half as many rows and columns of color as of brightness.</summary>
    /// <param name="pixels">RGB: [height, width, 3].</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="quality">1 to 100, as libjpeg counts it.</param>
    /// <exception cref="ArgumentException">The pixels are not of this size.</exception>
    /// <exception cref="TorchException">A side is longer than JPEG allows, or there is no such quality.</exception>
    public static byte[] EncodeJpeg(ReadOnlySpan<byte> pixels, int height, int width, int quality)
    {
        if (pixels.Length != (long)height * width * 3)
            throw new ArgumentException($"{pixels.Length} bytes are not {height}x{width}x3", nameof(pixels));
        // Noise at the highest quality takes less than this, in blocks of 16x16; a photograph a tenth of it.
        var buffer = ArrayPool<byte>.Shared.Rent(checked((height + 15 & ~15) * (width + 15 & ~15) * 6 + JpegHeaders));
        try
        {
            fixed (byte* start = pixels, bytes = buffer)
            {
                Native.Check(Native.ds_jpeg_encode(start, height, width, quality, bytes, buffer.Length, out var written));
                return buffer[..(int)written];
            }
        }
        finally { ArrayPool<byte>.Shared.Return(buffer); }
    }

    // A file whose header was read, for as long as its bytes are held.
    readonly ref struct Opened : IDisposable
    {
        public readonly int Height, Width;
        public readonly nint Handle;

        public Opened(byte* bytes, long count) =>
            Native.Check(Native.ds_image_open(bytes, count, out Height, out Width, out Handle));

        public void Dispose() => Native.ds_image_close(Handle);
    }
}
