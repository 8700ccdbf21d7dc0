using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DistillSharp.Data;

/// <summary>Moves of whole pixels within a row.</summary>
static class PixelRows
{
    /// <summary>Reverses the order of the pixels of <paramref name="pixel"/> bytes each.</summary>
    public static void Mirror(Span<byte> row, int pixel)
    {
        if (pixel == 3)
        {
            MemoryMarshal.Cast<byte, Pixel3>(row).Reverse();
            return;
        }
        row.Reverse();
        for (var start = 0; start < row.Length; start += pixel) row.Slice(start, pixel).Reverse();
    }

    [InlineArray(3)]
    struct Pixel3
    {
        byte first;
    }
}
