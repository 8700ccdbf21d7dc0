namespace DistillSharp.Data;

/// <summary>A part of an image.</summary>
/// <param name="Top">First row.</param>
/// <param name="Left">First column.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct ImageArea(int Top, int Left, int Height, int Width)
{
    /// <summary>A whole image.</summary>
    public static ImageArea Of(ImageView image) => new(0, 0, image.Height, image.Width);
}

/// <summary>
/// Scaling by triangle filters as wide as the scale (bilinear, with antialiasing): first along rows, then along columns, in
/// whole numbers with 22 bits behind the point, rounded to bytes after each. That is Pillow's method to the last bit, and
/// with it torchvision's.
/// </summary>
public static class ImageScaling
{
    const int Bits = 22;

    /// <summary>Scales an area of an image.</summary>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="area">What to take of it.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <returns>[height, width, C].</returns>
    public static byte[] Scale(ImageView image, ImageArea area, int height, int width) =>
        Scale(image, area, height, width, new(0, 0, height, width));

    // Computes only a part of the result: all of it may be far larger, when a long strip is scaled up.
    static byte[] Scale(ImageView image, ImageArea area, int height, int width, ImageArea part)
    {
        var stride = part.Width * image.Channels;
        var along = Weights(area.Width, width, part.Left, part.Width);
        var down = Weights(area.Height, height, part.Top, part.Height);
        var first = down[0].First;
        var rows = new byte[(down[^1].First + down[^1].Weights.Length - first) * stride];
        for (var y = 0; y * stride < rows.Length; y++)
        {
            // Only the area may be seen: beyond its edges there is nothing, as if it had been cut out first.
            var row = image.Pixels.Slice(((area.Top + first + y) * image.Width + area.Left) * image.Channels, area.Width * image.Channels);
            ScaleRow(row, rows.AsSpan(y * stride, stride), along, image.Channels);
        }
        if (area.Height == height) return rows;

        var result = new byte[part.Height * stride];
        for (var y = 0; y < part.Height; y++) MixRows(rows, result.AsSpan(y * stride, stride), down[y] with { First = down[y].First - first });
        return result;
    }

    static void ScaleRow(ReadOnlySpan<byte> from, Span<byte> to, Window[] windows, int channels)
    {
        for (var x = 0; x < windows.Length; x++)
        {
            var (first, weights) = windows[x];
            for (var c = 0; c < channels; c++)
            {
                var sum = 1 << (Bits - 1);
                for (var i = 0; i < weights.Length; i++) sum += from[(first + i) * channels + c] * weights[i];
                to[x * channels + c] = ToByte(sum);
            }
        }
    }

    static void MixRows(ReadOnlySpan<byte> rows, Span<byte> to, Window window)
    {
        Span<int> sums = to.Length <= 4096 ? stackalloc int[to.Length] : new int[to.Length];
        sums.Fill(1 << (Bits - 1));
        for (var i = 0; i < window.Weights.Length; i++)
        {
            var row = rows.Slice((window.First + i) * to.Length, to.Length);
            var weight = window.Weights[i];
            for (var x = 0; x < row.Length; x++) sums[x] += row[x] * weight;
        }
        for (var x = 0; x < to.Length; x++) to[x] = ToByte(sums[x]);
    }

    static byte ToByte(int sum) => (byte)Math.Clamp(sum >> Bits, 0, 255);

    readonly record struct Window(int First, int[] Weights);

    // For each of some places of the result, which places of the source it is made of and how much each counts.
    static Window[] Weights(int from, int to, int start, int count)
    {
        if (from == to) return [.. Enumerable.Range(start, count).Select(place => new Window(place, [1 << Bits]))];
        var scale = (double)from / to;
        var reach = Math.Max(scale, 1);
        var windows = new Window[count];
        for (var place = start; place < start + count; place++)
        {
            var center = (place + .5) * scale;
            var first = Math.Max(0, (int)(center - reach + .5));
            var end = Math.Min(from, (int)(center + reach + .5));
            var weights = new double[end - first];
            for (var i = 0; i < weights.Length; i++) weights[i] = Math.Max(0, 1 - Math.Abs((i + first - center + .5) * (1 / reach)));
            var sum = weights.Sum();
            windows[place - start] = new(first, Array.ConvertAll(weights, weight => (int)(.5 + weight / sum * (1 << Bits))));
        }
        return windows;
    }

    /// <summary>Scales an image so that its shorter side has a length, then cuts the middle out (torchvision's Resize and CenterCrop).</summary>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="shorter">Length of the shorter side.</param>
    /// <param name="height">Rows of the result, at most <paramref name="shorter"/>.</param>
    /// <param name="width">Columns of the result, at most <paramref name="shorter"/>.</param>
    /// <returns>[height, width, C].</returns>
    public static byte[] FitCenter(ImageView image, int shorter, int height, int width)
    {
        var (h, w) = image.Width <= image.Height
            ? ((int)((long)shorter * image.Height / image.Width), shorter)
            : (shorter, (int)((long)shorter * image.Width / image.Height));
        var (top, left) = ((int)Math.Round((h - height) / 2.0), (int)Math.Round((w - width) / 2.0));
        return Scale(image, ImageArea.Of(image), h, w, new(top, left, height, width));
    }
}
