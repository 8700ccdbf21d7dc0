using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// The storages of one checkpoint, each read once and only when a tensor needs it. A contiguous tensor is a slice of its
/// storage; any other is copied into row-major order.
/// </summary>
internal sealed class TorchStorages(string file, AllocationBudget budget, bool bigEndian, Func<TorchStorage, ReadOnlyMemory<byte>> load)
{
    readonly Dictionary<string, ReadOnlyMemory<byte>> loaded = [];

    /// <summary>Reads a tensor's elements, row-major and little-endian.</summary>
    public StoredTensor Read(string name, TorchTensor tensor)
    {
        if (tensor.Type.Small is { } small) return Widened(name, tensor, small);
        if (tensor.Type.Element is not { } type) throw Fail(name, $"has elements of type {tensor.Type.Name}, which is not supported");
        if (tensor.Shape.Length > TensorShape.MaxDimensions || TensorShape.Bytes(tensor.Shape, type) is not { } bytes)
            throw Fail(name, $"has an impossible shape, [{string.Join(", ", tensor.Shape)}]");
        if (bytes == 0) return new StoredTensor(name, type, tensor.Shape, default);
        if (bytes > Array.MaxLength) throw Fail(name, "is larger than 2 GiB, which is not supported");

        var storage = StorageOf(name, tensor);
        CheckReach(name, tensor, storage.Length / type.Size());
        var start = (int)tensor.Offset * type.Size();
        if (IsContiguous(tensor) && (!bigEndian || type.Size() == 1))
            return new StoredTensor(name, type, tensor.Shape, storage.Slice(start, (int)bytes));

        budget.Charge(bytes);
        var copy = GC.AllocateUninitializedArray<byte>((int)bytes);
        StridedElements.Copy(storage.Span[start..], copy, tensor.Shape, tensor.Strides, type.Size());
        if (bigEndian) StridedElements.Reverse(copy, type.Size());
        return new StoredTensor(name, type, tensor.Shape, copy);
    }

    StoredTensor Widened(string name, TorchTensor tensor, Float8 small)
    {
        var narrow = Read(name, tensor with { Type = new(tensor.Type.Name, 1, DType.UInt8) });
        budget.Charge((long)sizeof(float) * narrow.Data.Length);
        return new(name, DType.Float32, narrow.Shape, small.Widen(narrow.Data.Span));
    }

    ReadOnlyMemory<byte> StorageOf(string name, TorchTensor tensor)
    {
        var storage = tensor.Storage;
        if (!loaded.TryGetValue(storage.Key, out var bytes)) loaded.Add(storage.Key, bytes = load(storage));
        var available = bytes.Length / storage.Type.Size;
        if (storage.Start > available || storage.Count > available - storage.Start)
            throw Fail(name, $"needs {storage.Count} elements of storage '{ShownText.Of(storage.Key)}' from element {storage.Start} "
                + $"on, which has {available}");
        return bytes.Slice((int)storage.Start * storage.Type.Size, (int)storage.Count * storage.Type.Size);
    }

    /// <summary>Every element that the strides lead to lies in the storage.</summary>
    void CheckReach(string name, TorchTensor tensor, int available)
    {
        var last = (Int128)tensor.Offset;
        var sound = tensor.Offset >= 0;
        for (var i = 0; i < tensor.Shape.Length; i++)
        {
            sound &= tensor.Strides[i] >= 0;
            last += (Int128)(tensor.Shape[i] - 1) * tensor.Strides[i];
        }
        if (!sound || last >= available)
            throw Fail(name, $"with shape [{string.Join(", ", tensor.Shape)}], strides [{string.Join(", ", tensor.Strides)}] and offset "
                + $"{tensor.Offset} reaches beyond its storage of {available} elements");
    }

    static bool IsContiguous(TorchTensor tensor) => tensor.Shape.Zip(tensor.Strides, StridedElements.RowMajor(tensor.Shape))
        .All(dimension => dimension.First == 1 || dimension.Second == dimension.Third);

    UserException Fail(string tensor, string what) => new($"{file}: the tensor '{ShownText.Of(tensor)}' {what}.");
}
