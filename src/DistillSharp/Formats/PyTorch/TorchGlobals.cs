using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>Names of PyTorch in the pickles of checkpoints. Tensors become <see cref="TorchTensor"/>; nothing is run.</summary>
internal static class TorchGlobals
{
    static readonly TorchElementType untyped = new("UntypedStorage", 1, null);

    /// <summary>Storage class and dtype, bytes of an element, the type here.</summary>
    static readonly (string Storage, string[] Names, int Size, DType? Element)[] types =
    [
        ("ByteStorage", ["uint8"], 1, DType.UInt8),
        ("CharStorage", ["int8"], 1, DType.Int8),
        ("ShortStorage", ["int16", "short"], 2, DType.Int16),
        ("IntStorage", ["int32", "int"], 4, DType.Int32),
        ("LongStorage", ["int64", "long"], 8, DType.Int64),
        ("HalfStorage", ["float16", "half"], 2, DType.Float16),
        ("FloatStorage", ["float32", "float"], 4, DType.Float32),
        ("DoubleStorage", ["float64", "double"], 8, DType.Float64),
        ("BoolStorage", ["bool"], 1, DType.Bool),
        ("BFloat16Storage", ["bfloat16"], 2, DType.BFloat16),
        ("ComplexFloatStorage", ["complex64", "cfloat"], 8, null),
        ("ComplexDoubleStorage", ["complex128", "cdouble"], 16, null),
        ("QInt8Storage", ["qint8"], 1, null),
        ("QUInt8Storage", ["quint8"], 1, null),
        ("QInt32Storage", ["qint32"], 4, null),
    ];

    /// <summary>What is understood in a checkpoint: PyTorch's data, numpy's and Python's.</summary>
    public static PickleGlobals List { get; } = PickleGlobals.Union([NumpyGlobals.WithPython, Own()]);

    static PickleGlobals Own()
    {
        var globals = new PickleGlobals
        {
            { "torch._utils", "_rebuild_tensor", Tensor },
            { "torch._utils", "_rebuild_tensor_v2", Tensor },
            { "torch._utils", "_rebuild_tensor_v3", TypedTensor },
            { "torch._utils", "_rebuild_parameter", arguments => arguments[0] },
            { "torch._utils", "_rebuild_parameter_with_state", arguments => arguments[0] },
            { "torch._utils", "_rebuild_sparse_tensor", _ => new TorchForeignTensor("sparse") },
            { "torch._utils", "_rebuild_qtensor", _ => new TorchForeignTensor("quantized") },
            { "torch._utils", "_rebuild_meta_tensor_no_storage", _ => new TorchForeignTensor("meta") },
            { "torch._tensor", "_rebuild_from_type_v2", OfSubclass },
            { "torch._utils", "_rebuild_device_tensor_from_numpy", arguments => arguments[0] },
            { "torch", "Size", arguments => arguments.Items(0) },
        };
        foreach (var (storage, names, size, element) in types)
        {
            globals.AddValue("torch", storage, new TorchElementType(storage, size, element));
            foreach (var name in names) globals.AddValue("torch", name, new TorchElementType(name, size, element));
        }
        foreach (var (name, small) in new[] { ("float8_e4m3fn", Float8.E4M3), ("float8_e5m2", Float8.E5M2) })
            globals.AddValue("torch", name, new TorchElementType(name, 1, null, small));
        foreach (var name in (string[])["uint16", "uint32", "uint64"])
            globals.AddValue("torch", name, new TorchElementType(name, int.Parse(name[4..]) / 8, null));
        foreach (var module in (string[])["torch", "torch.storage"]) globals.AddValue(module, untyped.Name, untyped);
        return globals;
    }

    public static string StorageName(DType type) => types.First(known => known.Element == type).Storage;

    /// <summary>What a pickle's reference to outside data becomes: ('storage', type, key, location, count[, view]).</summary>
    public static object Storage(PickleArguments id)
    {
        if (id.Count == 1) throw id.Fail("is written as text, as by pickle protocol 0, which PyTorch cannot load either");
        // In older files a whole model refers to its classes so, with their source code beside them.
        if (id.Text(0) is "module") return id[1] as PickleGlobal ?? throw id.Fail("has no class");
        if (id.Text(0) is not "storage") throw id.Fail($"is of kind '{ShownText.Of(id.Text(0))}', not 'storage'");
        var type = id.Of<TorchElementType>(1, "a storage type");
        var count = id.Integer(4);
        if (count < 0) throw id.Fail($"says {count} elements");
        id.Charge(TorchTensor.Size);
        // Older files know parts of a storage: (key of the part, elements before it, its elements).
        if (id.Count < 6 || id[5] is null) return new TorchStorage(id.Text(2), type, count, 0);
        var view = id.Nested(id.Items(5));
        if (view.Integer(1) < 0 || view.Integer(2) < 0) throw id.Fail("has a part with a negative place");
        return new TorchStorage(id.Text(2), type, view.Integer(2), view.Integer(1));
    }

    /// <summary>_rebuild_tensor(storage, offset, size, stride, ...).</summary>
    static TorchTensor Tensor(PickleArguments arguments) => Tensor(arguments, arguments.Of<TorchStorage>(0, "a storage").Type);

    /// <summary>_rebuild_tensor_v3(storage, offset, size, stride, requires_grad, backward_hooks, dtype, ...).</summary>
    static TorchTensor TypedTensor(PickleArguments arguments) => Tensor(arguments, arguments.Of<TorchElementType>(6, "an element type"));

    static TorchTensor Tensor(PickleArguments arguments, TorchElementType type)
    {
        arguments.Charge(TorchTensor.Size);
        var (shape, strides) = (arguments.Integers(2), arguments.Integers(3));
        if (shape.Length != strides.Length) throw arguments.Fail($"has {shape.Length} sizes but {strides.Length} strides");
        return new TorchTensor(arguments.Of<TorchStorage>(0, "a storage"), type, arguments.Integer(1), shape, strides);
    }

    /// <summary>_rebuild_from_type_v2(function, type, arguments, state): a subclass of Tensor, taken as the tensor it is.</summary>
    static object? OfSubclass(PickleArguments arguments)
    {
        var function = arguments.Of<PickleGlobal>(0, "a function");
        if (function.Call is null || function.Call == OfSubclass)
            throw arguments.Fail($"is made by {ShownText.Of(function.Name)}, which is not known");
        return function.Call(arguments.Nested(arguments.Items(2)));
    }
}
