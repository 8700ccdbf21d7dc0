using DistillSharp.Data;
using DistillSharp.Formats.Files;

namespace DistillSharp.Experiments.Report;

/// <summary>Small pictures of one size side by side in one PNG: one picture for the browser to decode instead of thousands.</summary>
/// <param name="Source">The PNG as a data URI.</param>
/// <param name="Columns">Pictures of one row.</param>
/// <param name="Width">Columns of one picture in pixels.</param>
/// <param name="Height">Rows of one picture in pixels.</param>
sealed record SpriteSheet(string Source, int Columns, int Width, int Height)
{
    /// <summary>Draws images of a set.</summary>
    /// <param name="images">The set.</param>
    /// <param name="indices">Which of them, in order; at least one.</param>
    /// <param name="side">The longest side of a picture; larger images are made smaller.</param>
    public static SpriteSheet Of(ImageSet images, IReadOnlyList<int> indices, int side)
    {
        var scale = Math.Min(1, (double)side / Math.Max(images.Width, images.Height));
        var (width, height) = (Math.Max(1, (int)Math.Round(images.Width * scale)), Math.Max(1, (int)Math.Round(images.Height * scale)));
        var columns = (int)Math.Ceiling(Math.Sqrt(indices.Count));
        var rows = (indices.Count + columns - 1) / columns;
        var stride = columns * width * 3;
        var sheet = new byte[rows * height * stride];
        for (var at = 0; at < indices.Count; at++)
            Draw(images.Image(indices[at]), sheet.AsSpan(at / columns * height * stride + at % columns * width * 3), stride, width, height);
        return new(
            "data:image/png;base64," + Convert.ToBase64String(Png.Encode(sheet, columns * width, rows * height, 3)), columns, width,
            height);
    }

    // The largest middle part of the right proportions, each pixel the mean of those it stands for.
    static void Draw(ImageView image, Span<byte> destination, int stride, int width, int height)
    {
        var scale = Math.Min((double)image.Width / width, (double)image.Height / height);
        var (left, top) = ((image.Width - width * scale) / 2, (image.Height - height * scale) / 2);
        for (var y = 0; y < height; y++)
        {
            var (fromY, toY) = Range(top, scale, y, image.Height);
            for (var x = 0; x < width; x++)
            {
                var (fromX, toX) = Range(left, scale, x, image.Width);
                for (var c = 0; c < 3; c++)
                {
                    // A gray image shows its one channel three times.
                    var channel = Math.Min(c, image.Channels - 1);
                    var sum = 0;
                    for (var v = fromY; v < toY; v++)
                        for (var u = fromX; u < toX; u++)
                            sum += image.Pixels[(v * image.Width + u) * image.Channels + channel];
                    var count = (toY - fromY) * (toX - fromX);
                    destination[y * stride + x * 3 + c] = (byte)((sum + count / 2) / count);
                }
            }
        }
    }

    static (int From, int To) Range(double start, double scale, int at, int end)
    {
        var from = Math.Clamp((int)Math.Round(start + at * scale), 0, end - 1);
        return (from, Math.Clamp((int)Math.Round(start + (at + 1) * scale), from + 1, end));
    }
}
