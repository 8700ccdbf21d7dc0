namespace DistillSharp.Tests.Data;

/// <summary>Pad, crop, flip and normalize one value at a time, straight from their definitions in torchvision.</summary>
static class SlowReference
{
    /// <summary>Where an outcome's crop lies in the padded image, and whether it is then mirrored.</summary>
    public static (int OffsetY, int OffsetX, bool Flip) Place(int variant, int padding, bool flip)
    {
        var place = flip ? variant / 2 : variant;
        return (place / (2 * padding + 1), place % (2 * padding + 1), flip && variant % 2 == 1);
    }

    public static byte[] PadCropFlip(byte[] pixels, int height, int width, int channels, int padding, int variant, bool flip = true)
    {
        var draw = Place(variant, padding, flip);
        byte Padded(int y, int x, int c) =>
            y < padding || x < padding || y >= height + padding || x >= width + padding ? (byte)0
                : pixels[((y - padding) * width + x - padding) * channels + c];

        var moved = new byte[pixels.Length];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < channels; c++)
                    moved[(y * width + x) * channels + c] =
                        Padded(y + draw.OffsetY, (draw.Flip ? width - 1 - x : x) + draw.OffsetX, c);
        return moved;
    }

    public static float[] Normalize(byte[] pixels, float[] mean, float[] std)
    {
        var values = new float[pixels.Length];
        for (var i = 0; i < pixels.Length; i++)
        {
            float value = pixels[i] / 255f;
            value = value - mean[i % mean.Length];
            value = value / std[i % std.Length];
            values[i] = value;
        }
        return values;
    }
}
