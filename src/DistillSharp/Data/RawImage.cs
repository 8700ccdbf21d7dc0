using System.Buffers.Binary;

namespace DistillSharp.Data;

/// <summary>
/// An image as its pixels, for packed files: eight bytes that tell it, rows, columns and EXIF's orientation as numbers of four bytes, then
/// RGB, [H, W, 3].
/// </summary>
static class RawImage
{
    const int HeaderLength = 8 + 3 * 4;

    static ReadOnlySpan<byte> Magic => "DSPIXEL1"u8;

    /// <summary>Whether content is such an image.</summary>
    public static bool Is(ReadOnlySpan<byte> file) => file.StartsWith(Magic);

    /// <summary>Writes an image.</summary>
    /// <param name="image">Its pixels as they are stored.</param>
    /// <param name="orientation">EXIF's number; 1 for an image that stands upright as it is stored.</param>
    public static byte[] Write(DecodedImage image, int orientation)
    {
        var file = GC.AllocateUninitializedArray<byte>(HeaderLength + image.Pixels.Length);
        Magic.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(8), image.Height);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(12), image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(16), orientation);
        image.Pixels.CopyTo(file, HeaderLength);
        return file;
    }

    /// <summary>The image that content holds, without a copy of it.</summary>
    /// <exception cref="UndecodedException">Its length is not that of the pixels it claims.</exception>
    public static ImageView View(ReadOnlySpan<byte> file, out int orientation)
    {
        orientation = 0;
        if (file.Length >= HeaderLength)
        {
            orientation = BinaryPrimitives.ReadInt32LittleEndian(file[16..]);
            var (height, width) = (BinaryPrimitives.ReadInt32LittleEndian(file[8..]), BinaryPrimitives.ReadInt32LittleEndian(file[12..]));
            if (height > 0 && width > 0 && (Int128)height * width * 3 == file.Length - HeaderLength)
                return new(file[HeaderLength..], height, width, 3);
        }
        throw new UndecodedException("is damaged: it is not as long as the pixels it claims");
    }
}
