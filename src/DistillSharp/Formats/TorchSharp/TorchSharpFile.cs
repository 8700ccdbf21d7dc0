using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.TorchSharp;

/// <summary>
/// State of a module of TorchSharp, as its <c>Module.save</c> writes it: the number of tensors; then for each its name (length
/// and UTF-8), element type, number of sizes, sizes, elements. Numbers are unsigned LEB128, element types libtorch's numbers.
/// See github.com/dotnet/TorchSharp, Module.save and TensorExtensionMethods.Save.
/// </summary>
public static class TorchSharpFile
{
    const int LongestName = 1024, MaxTensors = 1_000_000;

    /// <summary>libtorch's complex types, which are passed over.</summary>
    static readonly Dictionary<long, (string Name, int Size)> complex =
        new() { [8] = ("ComplexFloat16", 4), [9] = ("ComplexFloat32", 8), [10] = ("ComplexFloat64", 16) };

    /// <summary>Reads the tensors of a file in its order.</summary>
    /// <exception cref="UserException">There is no such file, it is none of TorchSharp's, or it is cut short.</exception>
    public static IReadOnlyList<StoredTensor> Read(string path) => InputFile.Read(path, file => Entries(file, path).Read());

    /// <summary>Writes a file that <c>Module.load</c> of TorchSharp reads: whole, or not at all.</summary>
    /// <param name="path">The file to write; one that exists is replaced.</param>
    /// <param name="tensors">The tensors in the order of the module's state.</param>
    /// <exception cref="UserException">The file cannot be written; what was there before is untouched.</exception>
    public static void Write(string path, IReadOnlyList<StoredTensor> tensors) => AtomicFile.Write(path, file =>
    {
        using var writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true);
        writer.Write7BitEncodedInt64(tensors.Count);
        foreach (var tensor in tensors)
        {
            writer.Write(tensor.Name);
            writer.Write7BitEncodedInt64((long)tensor.Type);
            writer.Write7BitEncodedInt64(tensor.Shape.Count);
            foreach (var size in tensor.Shape) writer.Write7BitEncodedInt64(size);
            writer.Write(tensor.Data.Span);
        }
    });

    /// <summary>
    /// Whether a file seems to be one: it has no mark of its own, so its first tensor must make sense. The stream then stands where
    /// it stood.
    /// </summary>
    internal static bool IsOne(Stream file)
    {
        var start = file.Position;
        try
        {
            var reader = new Reader(file, "", new AllocationBudget("", file.Length));
            return reader.Number() is > 0 and <= MaxTensors && reader.Next() is { } first && !first.Name.Any(char.IsControl);
        }
        catch (UserException)
        {
            return false;
        }
        finally
        {
            file.Position = start;
        }
    }

    /// <summary>The tensors of a file, each read when it is needed.</summary>
    internal static TensorGroup Entries(Stream file, string name)
    {
        var budget = new AllocationBudget(name, file.Length);
        var reader = new Reader(file, name, budget);
        var count = reader.Number();
        if (count is < 0 or > MaxTensors) throw reader.Fail($"says that it holds {count} tensors; it is no state file of TorchSharp");
        var tensors = new List<TensorEntry>();
        var names = new HashSet<string>();
        for (var i = 0L; i < count; i++)
        {
            budget.Charge(TensorEntry.Size);
            var tensor = reader.Next();
            if (!names.Add(tensor.Name)) throw reader.Fail($"holds '{ShownText.Of(tensor.Name)}' twice");
            tensors.Add(tensor);
        }
        return new("", tensors);
    }

    sealed class Reader(Stream file, string name, AllocationBudget budget)
    {
        public UserException Fail(string what) => new($"{name}: {what}.");

        /// <summary>An unsigned LEB128 number of up to 63 bits.</summary>
        public long Number()
        {
            var number = 0L;
            for (var shift = 0; shift < 63; shift += 7)
            {
                var part = file.ReadByte();
                if (part < 0) throw CutShort();
                number |= (long)(part & 0x7f) << shift;
                if (part < 0x80) return number;
            }
            throw Fail("has a number of more than 63 bits; it is damaged or no state file of TorchSharp");
        }

        /// <summary>The next tensor; the stream then stands behind its elements.</summary>
        public TensorEntry Next()
        {
            var called = Name();
            var number = Number();
            var known = Enum.IsDefined((DType)number);
            if (!known && !complex.ContainsKey(number))
                throw Fail($"has a tensor '{ShownText.Of(called)}' of a type numbered {number}, which TorchSharp does not have");
            var shape = Shape(called);
            var size = known ? ((DType)number).Size() : complex[number].Size;
            var start = file.Position;
            if (TensorShape.Count(shape) is not { } count || count > (file.Length - start) / size) throw CutShort();
            file.Position = start + count * size;
            return known
                ? new(called, ((DType)number).ToString(), shape, () => Elements(called, (DType)number, shape, start, count * size))
                : new(called, complex[number].Name, shape, () =>
                    throw Fail($"the tensor '{ShownText.Of(called)}' has elements of type {complex[number].Name}, which is not supported"));
        }

        string Name()
        {
            var length = Number();
            if (length is 0 or > LongestName) throw Fail($"has a name of {length} bytes; it is damaged or no state file of TorchSharp");
            budget.Charge(64 + 3 * length);
            var bytes = new byte[length];
            if (file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) throw CutShort();
            return Encoding.UTF8.GetString(bytes);
        }

        long[] Shape(string called)
        {
            var dimensions = Number();
            if (dimensions > TensorShape.MaxDimensions)
                throw Fail($"has a tensor '{ShownText.Of(called)}' of {dimensions} dimensions; "
                    + "it is damaged or no state file of TorchSharp");
            var shape = new long[dimensions];
            for (var i = 0; i < shape.Length; i++) shape[i] = Number();
            return shape;
        }

        StoredTensor Elements(string called, DType type, long[] shape, long start, long length)
        {
            if (length > Array.MaxLength) throw Fail($"the tensor '{ShownText.Of(called)}' is larger than 2 GiB, which is not supported");
            budget.Charge(length);
            var bytes = GC.AllocateUninitializedArray<byte>((int)length);
            file.Position = start;
            file.ReadExactly(bytes);
            return new(called, type, shape, bytes);
        }

        UserException CutShort() => Fail("ends early; it is cut short or no state file of TorchSharp");
    }
}
