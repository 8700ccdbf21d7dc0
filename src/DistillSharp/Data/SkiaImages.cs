using SkiaSharp;

namespace DistillSharp.Data;

/// <summary>
/// Reads WebP, BMP and GIF files by Skia: an animation's first frame, an alpha channel dropped, nothing turned, as with Pillow's
/// <c>convert("RGB")</c>.
/// </summary>
static class SkiaImages
{
    const long MaxPixels = 1L << 27;

    // A uniform WebP can hold many pixels in a byte, but no more than this where it is an image to learn from.
    const long MaxPixelsPerByte = 1L << 16;

    /// <summary>Decodes a whole file's content.</summary>
    /// <param name="file">The content; <see cref="GifFrame"/> may change it.</param>
    /// <param name="kind">What it is, for messages.</param>
    /// <exception cref="UndecodedException">
    /// It is damaged, cut short, or claims too many pixels. The message is a sentence without its subject, as of <see cref="ImageCodec"/>.
    /// </exception>
    public static DecodedImage Decode(byte[] file, string kind)
    {
        var hidden = kind == ImageKind.Gif ? GifFrame.ShowTransparent(file) : default;
        using var data = SKData.CreateCopy(file);
        using var stream = new SKMemoryStream(data);
        using var codec = SKCodec.Create(stream, out var opened) ?? throw Damaged(kind, opened);
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        var pixels = (long)width * height;
        if (pixels > Math.Min(MaxPixels, MaxPixelsPerByte * file.Length))
            throw new UndecodedException($"claims {width}x{height} pixels, which is too many for {file.Length:N0} bytes");
        var values = new byte[pixels * 4];
        var result = Fill(codec, new(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul), values);
        return result == SKCodecResult.Success ? new(WithoutAlpha(values, kind == ImageKind.Gif, hidden), height, width)
            : throw Damaged(kind, result);
    }

    static unsafe SKCodecResult Fill(SKCodec codec, SKImageInfo info, byte[] values)
    {
        fixed (byte* start = values) return codec.GetPixels(info, (IntPtr)start);
    }

    // What a GIF's first frame leaves uncovered has one color; of other kinds the colors under the alpha are kept.
    static byte[] WithoutAlpha(byte[] values, bool covers, (byte Red, byte Green, byte Blue) hidden)
    {
        var pixels = GC.AllocateUninitializedArray<byte>(values.Length / 4 * 3);
        for (int from = 0, to = 0; from < values.Length; from += 4, to += 3)
            (pixels[to], pixels[to + 1], pixels[to + 2]) = covers && values[from + 3] == 0 ? hidden
                : (values[from], values[from + 1], values[from + 2]);
        return pixels;
    }

    static UndecodedException Damaged(string kind, SKCodecResult result) =>
        new($"is a damaged {kind} image{(result == SKCodecResult.IncompleteInput ? ": it ends early" : "")}");
}
