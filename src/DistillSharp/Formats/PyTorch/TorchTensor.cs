using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// An element type by its name in PyTorch, <c>FloatStorage</c> or <c>float32</c>, and its size in bytes (1 for untyped storage); Element is
/// the same type here where there is one, Small how elements of one byte are widened to float32.
/// </summary>
internal sealed record TorchElementType(string Name, int Size, DType? Element, Float8? Small = null);

/// <summary>
/// A storage as a pickle refers to it: Count elements from element Start on of the storage of that key, whose bytes lie elsewhere.
/// </summary>
internal sealed record TorchStorage(string Key, TorchElementType Type, long Count, long Start);

/// <summary>A tensor as a pickle describes it: a strided view of a storage.</summary>
internal sealed record TorchTensor(TorchStorage Storage, TorchElementType Type, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Rough bytes that one takes, with its storage and without its shape.</summary>
    public const int Size = 160;
}

/// <summary>A tensor of a kind that has no plain elements: sparse, quantized.</summary>
internal sealed record TorchForeignTensor(string Kind);
