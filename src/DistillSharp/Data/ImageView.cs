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
