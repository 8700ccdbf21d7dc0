namespace DistillSharp.Data;

/// <summary>
/// An affine map of places, which says for each pixel of the result where it comes from: x = a x' + b y' + c, y = d x' + e y' + f.
/// The nearest pixel is taken, and black beyond the edges, with 16 bits behind the point: Pillow's way to the last bit.
/// </summary>
readonly record struct PixelMove(double A, double B, double C, double D, double E, double F)
{
    const double Degree = Math.PI / 180;

    /// <summary>
    /// Rows slide by x times their height, or columns by y times their distance from the left, from the upper left corner.
    /// </summary>
    public static PixelMove Shear(double x, double y)
    {
        // The way through the angle is torchvision's.
        var (sx, sy) = (Math.Atan(x) * (180 / Math.PI) * Degree, Math.Atan(y) * (180 / Math.PI) * Degree);
        var (a, b) = (Math.Cos(-sy) / Math.Cos(sy), -Math.Cos(-sy) * Math.Tan(sx) / Math.Cos(sy));
        var (c, d) = (Math.Sin(-sy) / Math.Cos(sy), -Math.Sin(-sy) * Math.Tan(sx) / Math.Cos(sy) + 1);
        return new(d, -b, 0, -c, a, 0);
    }

    /// <summary>Moved right and down by whole pixels.</summary>
    public static PixelMove Translate(int right, int down) => new(1, 0, -right, 0, 1, -down);

    /// <summary>Turned counterclockwise around the middle, by degrees.</summary>
    public static PixelMove Rotate(double degrees, int height, int width)
    {
        var angle = -degrees * Degree;
        var (cos, sin) = (Math.Round(Math.Cos(angle), 15), Math.Round(Math.Sin(angle), 15));
        var (x, y) = (width / 2.0, height / 2.0);
        return new(cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y);
    }

    /// <summary>Moves an image.</summary>
    /// <param name="image">[H, W, C].</param>
    /// <param name="destination">[H, W, C]; not the memory of the image.</param>
    public void Apply(ImageView image, Span<byte> destination)
    {
        var (a, b, d, e) = (Fixed(A), Fixed(B), Fixed(D), Fixed(E));
        var (startX, startY) = (Fixed(C + A * .5 + B * .5), Fixed(F + D * .5 + E * .5));
        var channels = image.Channels;
        destination.Clear();
        for (var (row, to) = (0, 0); row < image.Height; row++, startX += b, startY += e)
            for (var (column, x, y) = (0, startX, startY); column < image.Width; column++, x += a, y += d, to += channels)
            {
                var (left, top) = (x >> 16, y >> 16);
                if ((uint)left >= (uint)image.Width || (uint)top >= (uint)image.Height) continue;
                image.Pixels.Slice((top * image.Width + left) * channels, channels).CopyTo(destination[to..]);
            }
    }

    static int Fixed(double number) => (int)Math.Floor(number * 65536 + .5);
}
