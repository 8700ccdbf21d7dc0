namespace DistillSharp.Formats.Tensors;

/// <summary>A tensor that a file holds, before its elements are read.</summary>
public sealed class TensorEntry
{
    /// <summary>Rough bytes that one takes.</summary>
    internal const int Size = 200;

    readonly Func<StoredTensor> read;

    internal TensorEntry(string name, string elementType, IReadOnlyList<long> shape, Func<StoredTensor> read) =>
        (Name, ElementType, Shape, this.read) = (name, elementType, shape, read);

    /// <summary>An entry of a tensor that is read already.</summary>
    internal static TensorEntry Of(StoredTensor tensor) => new(tensor.Name, tensor.Type.ToString(), tensor.Shape, () => tensor);

    /// <summary>The name in its file, for example <c>module.layer1.0.conv1.weight</c>.</summary>
    public string Name { get; }

    /// <summary>The element type in the file's own words, for example <c>FloatStorage</c> or <c>F32</c>.</summary>
    public string ElementType { get; }

    /// <summary>The sizes; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements as the shape says; 1 for a scalar.</summary>
    public long Count => TensorShape.Count(Shape) ?? 0;

    internal StoredTensor Read() => read();
}

/// <summary>Tensors that lie together in a file: a state dict, the arrays of an archive.</summary>
/// <param name="Key">Where they lie in the file, keys joined by dots; empty for the file's own.</param>
/// <param name="Tensors">The tensors in the file's order.</param>
public sealed record TensorGroup(string Key, IReadOnlyList<TensorEntry> Tensors)
{
    /// <summary>Reads every tensor, under the file's names.</summary>
    internal IReadOnlyList<StoredTensor> Read() => [.. Tensors.Select(tensor => tensor.Read())];
}
