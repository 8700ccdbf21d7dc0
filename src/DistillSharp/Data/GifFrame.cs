namespace DistillSharp.Data;

/// <summary>
/// The first frame of a GIF: which color of its palette stands for transparent (GIF89a specification, sections 18 to 23).
/// </summary>
static class GifFrame
{
    const int HeaderLength = 13, FrameLength = 10;
    const byte Extension = 0x21, Frame = 0x2c, GraphicControl = 0xf9;

    /// <summary>Marks the first frame's transparent color as an opaque one, as Pillow's <c>convert("RGB")</c> shows it.</summary>
    /// <param name="file">The content, changed in place; what is no GIF stays as it is.</param>
    /// <returns>The color of what the frame does not cover.</returns>
    public static (byte Red, byte Green, byte Blue) ShowTransparent(Span<byte> file)
    {
        var at = HeaderLength + (file.Length >= HeaderLength ? PaletteBytes(file[10]) : 0);
        var palette = file.Length >= at ? file[HeaderLength..Math.Max(at, HeaderLength)] : default;
        var transparent = 0;
        while (at + FrameLength <= file.Length)
        {
            if (file[at] == Frame)
            {
                var own = PaletteBytes(file[at + 9]);
                return ColorOf(
                    own == 0 ? palette : file.Slice(at + FrameLength, Math.Min(own, file.Length - at - FrameLength)), transparent);
            }
            if (file[at] != Extension) break;
            if (file[at + 1] == GraphicControl && (file[at + 3] & 1) == 1)
            {
                transparent = file[at + 6];
                file[at + 3] &= 0xfe;
            }
            at += 2;
            // Sub-blocks: a length and as many bytes, up to a length of 0.
            while (at < file.Length && file[at] != 0) at += file[at] + 1;
            at++;
        }
        return default;
    }

    static int PaletteBytes(byte packed) => (packed & 0x80) == 0 ? 0 : 3 << ((packed & 7) + 1);

    static (byte, byte, byte) ColorOf(ReadOnlySpan<byte> palette, int index) =>
        index * 3 + 3 <= palette.Length ? (palette[index * 3], palette[index * 3 + 1], palette[index * 3 + 2]) : default;
}
