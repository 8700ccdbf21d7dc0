namespace DistillSharp.Formats.Tensors;

/// <summary>Brings elements into the order in which tensors are stored here: row-major, lowest byte first.</summary>
internal static class StridedElements
{
    /// <summary>
    /// Copies a strided view into row-major order: the last dimension in a plain loop, the others counted like an odometer.
    /// </summary>
    public static void Copy(ReadOnlySpan<byte> source, Span<byte> target, IReadOnlyList<long> shape, IReadOnlyList<long> strides, int size)
    {
        var row = shape.Count == 0 ? 1 : (int)shape[^1];
        var step = shape.Count == 0 ? 0 : (int)(row > 1 ? strides[^1] : 0) * size;
        Span<long> index = stackalloc long[Math.Max(0, shape.Count - 1)];
        index.Clear();
        while (target.Length > 0)
        {
            var start = 0L;
            for (var i = 0; i < index.Length; i++) start += index[i] * strides[i];
            var from = source[(int)(start * size)..];
            if (step == size) from[..(row * size)].CopyTo(target);
            else for (var i = 0; i < row; i++) from.Slice(i * step, size).CopyTo(target[(i * size)..]);
            target = target[(row * size)..];
            for (var i = index.Length - 1; i >= 0 && ++index[i] == shape[i]; i--) index[i] = 0;
        }
    }

    /// <summary>How many elements a step along each dimension passes where they lie row-major.</summary>
    public static long[] RowMajor(IReadOnlyList<long> shape)
    {
        var strides = new long[shape.Count];
        var stride = 1L;
        for (var i = shape.Count - 1; i >= 0; i--) (strides[i], stride) = (stride, stride * Math.Max(1, shape[i]));
        return strides;
    }

    public static void Reverse(Span<byte> elements, int size)
    {
        for (var start = 0; start < elements.Length; start += size) elements.Slice(start, size).Reverse();
    }
}
