using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.NumPy;

/// <summary>numpy's element types and orders, between its files and tensors.</summary>
internal static class NumpyElements
{
    /// <summary>The type of a code without its byte order, <c>f4</c> for one; null where there is none here.</summary>
    public static DType? Type(string code) => code switch
    {
        "u1" => DType.UInt8,
        "i1" => DType.Int8,
        "b1" => DType.Bool,
        "i2" => DType.Int16,
        "i4" => DType.Int32,
        "i8" => DType.Int64,
        "f2" => DType.Float16,
        "f4" => DType.Float32,
        "f8" => DType.Float64,
        _ => null,
    };

    /// <summary>A tensor of an array's bytes, which are copied only where their order is another.</summary>
    public static StoredTensor Stored(
        string name, DType type, IReadOnlyList<long> shape, bool columnMajor, bool bigEndian, ReadOnlyMemory<byte> data,
            AllocationBudget budget)
    {
        columnMajor &= shape.Count > 1 && data.Length > 0;
        bigEndian &= type.Size() > 1;
        if (!columnMajor && !bigEndian) return new(name, type, shape, data);
        budget.Charge(data.Length);
        var elements = columnMajor ? new byte[data.Length] : data.ToArray();
        // In the shape's reverse they lie row-major.
        long[] strides = [.. Enumerable.Reverse(StridedElements.RowMajor([.. shape.Reverse()]))];
        if (columnMajor) StridedElements.Copy(data.Span, elements, shape, strides, type.Size());
        if (bigEndian) StridedElements.Reverse(elements, type.Size());
        return new(name, type, shape, elements);
    }
}
