namespace DistillSharp.Data;

/// <summary>
/// Changes of brightness, contrast, color and sharpness as Pillow's ImageEnhance makes them: a point on the line from a degenerate
/// image (factor 0) through the image itself (1) and on. Color is a matter of images of three channels; others stay as they are.
/// </summary>
static class ColorChange
{
    /// <summary>Away from black.</summary>
    public static void Brightness(ImageView image, double factor, Span<byte> destination)
    {
        destination.Clear();
        Blend(image, factor, destination);
    }

    /// <summary>Away from the image's gray.</summary>
    public static void Saturation(ImageView image, double factor, Span<byte> destination)
    {
        image.Pixels.CopyTo(destination);
        if (image.Channels != 3) return;
        for (var i = 0; i < destination.Length; i += 3) destination.Slice(i, 3).Fill(Gray(image.Pixels, i));
        Blend(image, factor, destination);
    }

    /// <summary>Away from the mean of the image's gray.</summary>
    public static void Contrast(ImageView image, double factor, Span<byte> destination)
    {
        var (sum, step) = (0L, image.Channels == 3 ? 3 : 1);
        for (var i = 0; i < image.Pixels.Length; i += step) sum += step == 3 ? Gray(image.Pixels, i) : image.Pixels[i];
        destination.Fill((byte)((double)sum / (image.Pixels.Length / step) + .5));
        Blend(image, factor, destination);
    }

    /// <summary>Away from the image smoothed over 3x3 pixels, the middle one counting five times; its edges are as they were.</summary>
    public static void Sharpness(ImageView image, double factor, Span<byte> destination)
    {
        const int Middle = 4, Total = 13;
        image.Pixels.CopyTo(destination);
        var pixels = image.Pixels;
        var (c, row) = (image.Channels, image.Width * image.Channels);
        for (var y = 1; y < image.Height - 1; y++)
            for (var i = y * row + c; i < (y + 1) * row - c; i++)
            {
                var sum = pixels[i - row - c] + pixels[i - row] + pixels[i - row + c] + pixels[i - c] + pixels[i] + pixels[i + c]
                    + pixels[i + row - c] + pixels[i + row] + pixels[i + row + c] + Middle * pixels[i];
                destination[i] = (byte)((2 * sum + Total) / (2 * Total));
            }
        Blend(image, factor, destination);
    }

    /// <summary>Turns the hue by a share of the whole circle, -0.5 to 0.5, with hue, saturation and value in bytes.</summary>
    public static void Hue(ImageView image, double turn, Span<byte> destination)
    {
        image.Pixels.CopyTo(destination);
        if (image.Channels != 3) return;
        var more = (int)(turn * 255);
        for (var i = 0; i < destination.Length; i += 3)
        {
            var (h, s, v) = ToHsv(destination[i], destination[i + 1], destination[i + 2]);
            (destination[i], destination[i + 1], destination[i + 2]) = ToRgb((byte)(h + more), s, v);
        }
    }

    static byte Gray(ReadOnlySpan<byte> pixels, int i) =>
        (byte)((pixels[i] * 19595 + pixels[i + 1] * 38470 + pixels[i + 2] * 7471 + 0x8000) >> 16);

    static void Blend(ImageView image, double factor, Span<byte> degenerate)
    {
        var alpha = (float)factor;
        for (var i = 0; i < degenerate.Length; i++)
            degenerate[i] = (byte)Math.Clamp(degenerate[i] + alpha * (image.Pixels[i] - degenerate[i]), 0, 255);
    }

    // Pillow's formulas: floats where it has floats, doubles where it has doubles, cut off rather than rounded.
    static (byte H, byte S, byte V) ToHsv(byte r, byte g, byte b)
    {
        var (max, min) = (Math.Max(r, Math.Max(g, b)), Math.Min(r, Math.Min(g, b)));
        if (max == min) return (0, 0, max);
        float range = max - min;
        var (rc, gc, bc) = ((max - r) / range, (max - g) / range, (max - b) / range);
        var h = r == max ? bc - gc : g == max ? (float)(2.0 + rc - bc) : (float)(4.0 + gc - rc);
        h = (float)((h / 6.0 + 1.0) % 1.0);
        return ((byte)(h * 255.0), (byte)(range / max * 255.0), max);
    }

    static (byte R, byte G, byte B) ToRgb(byte h, byte s, byte v)
    {
        if (s == 0) return (v, v, v);
        var sector = (int)Math.Floor(h * 6.0 / 255.0);
        var (f, fs) = ((float)(h * 6.0 / 255.0 - sector), (float)(s / 255.0));
        var p = Rounded(v * (1.0 - fs));
        var q = Rounded(v * (1.0 - fs * f));
        var t = Rounded(v * (1.0 - fs * (1.0 - f)));
        return (sector % 6) switch
        {
            0 => (v, t, p),
            1 => (q, v, p),
            2 => (p, v, t),
            3 => (p, q, v),
            4 => (t, p, v),
            _ => (v, p, q),
        };
    }

    static byte Rounded(double value) => (byte)Math.Clamp(Math.Round(value, MidpointRounding.AwayFromZero), 0, 255);
}
