namespace DistillSharp.Formats.Tensors;

/// <summary>Arithmetic on shapes that an untrusted file states.</summary>
internal static class TensorShape
{
    /// <summary>More dimensions than libtorch takes.</summary>
    public const int MaxDimensions = 64;

    /// <summary>Number of elements, or null for a negative size or a product beyond 64 bits.</summary>
    public static long? Count(IReadOnlyList<long> shape)
    {
        // A zero makes the product zero wherever it stands, so it must not be reached only after an overflow.
        if (shape.Any(size => size < 0)) return null;
        if (shape.Contains(0)) return 0;
        var count = 1L;
        foreach (var size in shape)
        {
            if (count > long.MaxValue / size) return null;
            count *= size;
        }
        return count;
    }

    /// <summary>Bytes of a dense tensor, or null where the shape is none or they go beyond 64 bits.</summary>
    public static long? Bytes(IReadOnlyList<long> shape, DType type) =>
        Count(shape) is { } count && count <= long.MaxValue / type.Size() ? count * type.Size() : null;
}
