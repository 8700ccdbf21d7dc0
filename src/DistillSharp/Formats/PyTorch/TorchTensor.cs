using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>An element type of PyTorch.</summary>
/// <param name="Name">As PyTorch calls it, <c>FloatStorage</c> or <c>float32</c>.</param>
/// <param name="Size">Bytes of one element; 1 for untyped storage, whose elements are bytes.</param>
/// <param name="Element">The same type here, or null where there is none.</param>
/// <param name="Small">How elements of one byte are widened to float32, where the type is such a one.</param>
internal sealed record TorchElementType(string Name, int Size, DType? Element, Float8? Small = null);

/// <summary>A storage as a pickle refers to it; its bytes lie elsewhere in the file.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Count">Its elements.</param>
/// <param name="Start">Elements before it in the storage of that key, of which it is a part.</param>
internal sealed record TorchStorage(string Key, TorchElementType Type, long Count, long Start);

/// <summary>A tensor as a pickle describes it: a strided view of a storage.</summary>
internal sealed record TorchTensor(TorchStorage Storage, TorchElementType Type, long Offset, long[] Shape, long[] Strides)
{
    /// <summary>Rough bytes that one takes, with its storage and without its shape.</summary>
    public const int Size = 160;
}

/// <summary>A tensor of a kind that has no plain elements: sparse, quantized.</summary>
internal sealed record TorchForeignTensor(string Kind);
