using DistillSharp.Formats.Files;
using DistillSharp.Formats.NumPy;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.Pickle;

/// <summary>A numpy element type, for example <c>u1</c> or <c>&lt;f4</c>.</summary>
internal sealed class PickledElementType(string code) : PickledObject
{
    /// <summary>Rough bytes that one takes.</summary>
    public const int Size = 40;
    /// <summary>Kind and size as numpy writes them, without the byte order: <c>u1</c>, <c>i8</c>, <c>S10</c>, <c>O8</c>.</summary>
    public string Code { get; } = code;

    /// <summary>Whether elements of several bytes are stored highest byte first.</summary>
    public bool BigEndian { get; private set; }

    /// <summary>Whether the elements are structures of named fields.</summary>
    public bool Structured { get; private set; }

    /// <summary>The same type here, or null where there is none.</summary>
    public DType? Element => Structured ? null : NumpyElements.Type(Code);

    /// <summary>Takes numpy's state: (version, byte order, subtype, names, fields, ...).</summary>
    public override void Build(PickleArguments state)
    {
        BigEndian = state.Text(1) == ">";
        Structured = state[2] is not null || state[3] is not null;
    }
}

/// <summary>A numpy array. Its bytes are a slice of the pickle where that lies in memory.</summary>
internal sealed class PickledArray : PickledObject
{
    /// <summary>Rough bytes that one takes, its shape aside.</summary>
    public const int Size = 80;
    const string Expected = "a numpy element type";

    public IReadOnlyList<long> Shape { get; private set; } = [];

    /// <summary>The element type; null before numpy's state was set.</summary>
    public PickledElementType? Type { get; private set; }

    /// <summary>Whether the first index runs fastest (Fortran's order) rather than the last.</summary>
    public bool ColumnMajor { get; private set; }

    /// <summary>The elements in the order that <see cref="ColumnMajor"/> says; empty for an array of Python objects.</summary>
    public ReadOnlyMemory<byte> Data { get; private set; }

    /// <summary>Takes numpy's state: (version, shape, element type, column-major, bytes or a list of objects).</summary>
    public override void Build(PickleArguments state) =>
        Set(state, state.Integers(1), state.Of<PickledElementType>(2, Expected), state.Of<bool>(3, "True or False"), state[4]);

    /// <summary>The array as a tensor, row-major and little-endian.</summary>
    public StoredTensor ToStored(string name, DType type, AllocationBudget budget) =>
        NumpyElements.Stored(name, type, Shape, ColumnMajor, Type!.BigEndian, Data, budget);

    /// <summary>An array over bytes; the shape's size and the bytes must agree.</summary>
    public void Set(PickleArguments arguments, long[] shape, PickledElementType type, bool columnMajor, object? data)
    {
        if (data is not (PickledBytes or List<object?>))
            throw arguments.Fail($"has {PickleValues.Describe(data)} where the elements of a numpy array must be");
        var bytes = (data as PickledBytes)?.Memory ?? default;
        if (type.Element is { } element && TensorShape.Bytes(shape, element) != bytes.Length)
            throw arguments.Fail($"says shape [{string.Join(", ", shape)}] of {element}, but holds {bytes.Length} bytes");
        (Shape, Type, ColumnMajor, Data) = (shape, type, columnMajor, bytes);
    }
}
