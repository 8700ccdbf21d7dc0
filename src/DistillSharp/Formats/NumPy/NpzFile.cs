using System.Buffers.Binary;
using System.Text.RegularExpressions;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.NumPy;

/// <summary>An archive of numpy arrays (<c>numpy.savez</c>): a zip with a file NAME.npy for each. See numpy.lib.format.</summary>
internal static partial class NpzFile
{
    const string Extension = ".npy";
    const int PrefixSize = 8;

    static readonly byte[] magic = [0x93, .. "NUMPY"u8];

    public static bool IsOne(ZipRecords records) => records.Names.Any(name => name.EndsWith(Extension, StringComparison.Ordinal));

    /// <summary>The arrays of numbers; an array of Python objects or of structures is left out.</summary>
    public static TensorGroup Read(ZipRecords records, string file, AllocationBudget budget)
    {
        var tensors = new List<TensorEntry>();
        foreach (var name in records.Names.Where(name => name.EndsWith(Extension, StringComparison.Ordinal)))
        {
            var array = records.Read(name);
            budget.Charge(TensorEntry.Size);
            if (Parse(name[..^Extension.Length], array, file, budget) is { } tensor) tensors.Add(tensor);
        }
        return new("", tensors);
    }

    static TensorEntry? Parse(string name, ReadOnlyMemory<byte> array, string file, AllocationBudget budget)
    {
        UserException Fail(string what) => new($"{file}: the array '{ShownText.Of(name)}' {what}.");

        var start = array.Span;
        if (start.Length < PrefixSize + sizeof(uint) || !start.StartsWith(magic)) throw Fail("is damaged or no numpy array");
        var wide = start[6] >= 2;
        var length = wide ? BinaryPrimitives.ReadUInt32LittleEndian(start[PrefixSize..])
            : BinaryPrimitives.ReadUInt16LittleEndian(start[PrefixSize..]);
        var header = PrefixSize + (wide ? sizeof(uint) : sizeof(ushort));
        if (length > start.Length - header) throw Fail("is cut short");
        budget.Charge(64 + 2L * length);
        var text = Encoding.Latin1.GetString(start.Slice(header, (int)length));
        var data = array[(header + (int)length)..];

        if (Description().Match(text) is not { Success: true } described) return null;
        if (NumpyElements.Type(described.Groups["code"].Value) is not { } type) return null;
        if (!TryShape(described.Groups["shape"].Value, out var shape)) throw Fail("has an impossible shape");
        if (TensorShape.Bytes(shape, type) != data.Length)
            throw Fail($"says shape [{string.Join(", ", shape)}] of {type}, but holds {data.Length} bytes");
        return new(name, described.Groups["code"].Value, shape, () => NumpyElements.Stored(
            name, type, shape, described.Groups["fortran"].Value == "True", described.Groups["order"].Value == ">", data, budget));
    }

    static bool TryShape(string text, out long[] shape)
    {
        var parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var sizes = shape = new long[parts.Length];
        return parts.Length <= TensorShape.MaxDimensions && parts.Index()
            .All(part => long.TryParse(part.Item, NumberStyles.None, CultureInfo.InvariantCulture, out sizes[part.Index]));
    }

    // A dict of Python: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. A list of fields as descr is a structure.
    [GeneratedRegex(
        @"^\{'descr': '(?<order>[<>|=])(?<code>\w{1,8})', 'fortran_order': (?<fortran>True|False), 'shape': \((?<shape>[\d, L]*)\),? *\}",
        RegexOptions.CultureInvariant)]
    private static partial Regex Description();
}
