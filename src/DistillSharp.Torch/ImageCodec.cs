using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>An image in memory.</summary>
/// <param name="Pixels">RGB, each value 0..255: [H, W, 3] row-major.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public sealed record DecodedImage(byte[] Pixels, int Height, int Width);

/// <summary>
/// Reads JPEG and PNG files by libjpeg-turbo and libpng. Whatever the file's colors are (gray, palette, CMYK, 16 bits), the
/// result is 8-bit RGB; an alpha channel is dropped, and nothing is turned, as with Pillow's <c>convert("RGB")</c>.
/// </summary>
public static unsafe class ImageCodec
{
    /// <summary>Decodes a whole file's content.</summary>
    /// <exception cref="TorchException">
    /// It is neither JPEG nor PNG, is damaged or cut short, or claims more pixels than its length or the limit of 2^27 allows.
    /// The message is a sentence without its subject: "is a damaged PNG image: it ends early".
    /// </exception>
    public static DecodedImage Decode(ReadOnlySpan<byte> file)
    {
        fixed (byte* bytes = file)
        {
            Native.Check(Native.ds_image_size(bytes, file.Length, out var height, out var width));
            var pixels = GC.AllocateUninitializedArray<byte>(checked(height * width * 3));
            fixed (byte* start = pixels)
                Native.Check(Native.ds_image_decode(bytes, file.Length, start, pixels.Length));
            return new(pixels, height, width);
        }
    }

    /// <summary>The size of an image, from its header alone.</summary>
    /// <inheritdoc cref="Decode"/>
    public static (int Height, int Width) Size(ReadOnlySpan<byte> file)
    {
        fixed (byte* bytes = file)
        {
            Native.Check(Native.ds_image_size(bytes, file.Length, out var height, out var width));
            return (height, width);
        }
    }

    /// <summary>
    /// Decodes an area of a JPEG file, and as little else as that takes. At eight eighths every pixel is that of <see cref="Decode"/>;
    /// at fewer, libjpeg-turbo scales while it decodes. Damage behind the area goes unnoticed.
    /// </summary>
    /// <param name="file">The whole file's content.</param>
    /// <param name="eighths">The image's scale: 8 for its own size, 4, 2 or 1 for a half, a quarter, an eighth; sides are rounded
    /// up.</param>
    /// <param name="top">First row of the area, in the scaled image.</param>
    /// <param name="left">First column.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="pixels">RGB: [height, width, 3].</param>
    /// <exception cref="TorchException">It is no JPEG file or a damaged one, or the area is not within the image.</exception>
    public static void DecodeJpegPart(ReadOnlySpan<byte> file, int eighths, int top, int left, int height, int width, Span<byte> pixels)
    {
        fixed (byte* bytes = file, start = pixels)
            Native.Check(Native.ds_jpeg_decode_part(bytes, file.Length, eighths, top, left, height, width, start, pixels.Length));
    }
}
