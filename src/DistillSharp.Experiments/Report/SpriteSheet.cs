using SkiaSharp;

namespace DistillSharp.Experiments.Report;

/// <summary>Small pictures of one size in rows of one PNG, a data URI: one picture for the browser to decode, not thousands.</summary>
sealed record SpriteSheet(string Source, int Columns, int Width, int Height)
{
    /// <summary>Draws images of a set, at least one, in the order of their indices; larger ones are made smaller.</summary>
    public static SpriteSheet Of(ImageSet images, IReadOnlyList<int> indices, int side)
    {
        var scale = Math.Min(1, (double)side / Math.Max(images.Width, images.Height));
        var (width, height) = (Math.Max(1, (int)Math.Round(images.Width * scale)), Math.Max(1, (int)Math.Round(images.Height * scale)));
        var columns = (int)Math.Ceiling(Math.Sqrt(indices.Count));
        var rows = (indices.Count + columns - 1) / columns;
        using var sheet = new SKBitmap(columns * width, rows * height, SKColorType.Rgb888x, SKAlphaType.Opaque);
        sheet.Erase(SKColors.Black);
        for (var at = 0; at < indices.Count; at++)
        {
            var image = images.Image(indices[at]);
            var picture = ImageScaling.Scale(image, ImageArea.Of(image), height, width);
            for (var y = 0; y < height; y++)
                Draw(picture.AsSpan(y * width * image.Channels, width * image.Channels),
                    image.Channels, sheet.GetPixelSpan()[((at / columns * height + y) * sheet.RowBytes + at % columns * width * 4)..]);
        }
        using var png = sheet.Encode(SKEncodedImageFormat.Png, quality: 100);
        return new("data:image/png;base64," + Convert.ToBase64String(png.Span), columns, width, height);
    }

    // A gray image shows its one channel three times; the fourth byte of a pixel is nothing.
    static void Draw(ReadOnlySpan<byte> row, int channels, Span<byte> destination)
    {
        for (var (from, to) = (0, 0); from < row.Length; from += channels, to += 4)
            for (var c = 0; c < 3; c++) destination[to + c] = row[from + Math.Min(c, channels - 1)];
    }
}
