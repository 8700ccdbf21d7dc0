namespace DistillSharp.Data;

/// <summary>One image in memory: rows of interleaved channels, [H, W, C], each value 0..255.</summary>
public readonly ref struct ImageView(ReadOnlySpan<byte> pixels, int height, int width, int channels)
{
    /// <summary>The values, [H, W, C] row-major.</summary>
    public ReadOnlySpan<byte> Pixels { get; } = pixels;

    /// <summary>Rows.</summary>
    public int Height { get; } = height;

    /// <summary>Columns.</summary>
    public int Width { get; } = width;

    /// <summary>Values of one pixel.</summary>
    public int Channels { get; } = channels;
}

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

/// <summary>A part of an image, in rows and columns, whose edges may lie within pixels.</summary>
readonly record struct ImageBox(double Top, double Left, double Height, double Width);
