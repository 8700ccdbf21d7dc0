namespace DistillSharp.Formats.Tensors;

/// <summary>A named tensor as a file holds it: row-major, contiguous, little-endian, not yet on any device.</summary>
/// <param name="Name">The name in its file, for example <c>layer1.0.conv1.weight</c>.</param>
/// <param name="Type">The element type.</param>
/// <param name="Shape">The sizes; empty for a scalar.</param>
/// <param name="Data">The elements: product of <paramref name="Shape"/> times the element size in bytes.</param>
public sealed record StoredTensor(string Name, DType Type, IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Data)
{
    /// <summary>Number of elements; 1 for a scalar.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));
}
