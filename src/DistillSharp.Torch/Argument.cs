using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>One argument of an operator call. It is made by implicit conversion and needs no allocation of its own.</summary>
public readonly struct Argument
{
    internal readonly ValueKind Kind;
    internal readonly object? Reference;
    internal readonly long First;
    internal readonly long Second;

    Argument(ValueKind kind, object? reference, long first = 0, long second = 0) =>
        (Kind, Reference, First, Second) = (kind, reference, first, second);

    /// <summary>The tensor, where the argument is one.</summary>
    public Tensor? Tensor => Reference as Tensor;

    /// <summary>The tensors, where the argument is a list of them.</summary>
    public IReadOnlyList<Tensor?>? Tensors => Reference as Tensor?[];

    /// <summary>The integers, where the argument is a list of them.</summary>
    public IReadOnlyList<long>? Integers => Kind != ValueKind.IntList ? null : Reference as long[] ?? [First, Second];

    /// <summary>The integer, truth value or, rounded towards zero, real number; 0 for anything else.</summary>
    public long Integer => Kind == ValueKind.Double ? (long)Real : First;

    /// <summary>The number; 0 for anything that is none.</summary>
    public double Real => Kind == ValueKind.Double ? BitConverter.Int64BitsToDouble(First) : First;

    /// <summary>Whether the argument is absent.</summary>
    public bool IsNone => Kind == ValueKind.None;

    /// <summary>An absent argument; libtorch's default is used where the schema has one for None.</summary>
    public static Argument None => default;

    /// <summary>A tensor, or None for null.</summary>
    public static implicit operator Argument(Tensor? tensor) => tensor is null ? default : new(ValueKind.Tensor, tensor);

    /// <summary>An integer, or a scalar with an integer value.</summary>
    public static implicit operator Argument(long value) => new(ValueKind.Int, null, value);

    /// <summary>An integer, or None for null.</summary>
    public static implicit operator Argument(long? value) => value is { } some ? some : default(Argument);

    /// <summary>A real number, or a scalar with a real value.</summary>
    public static implicit operator Argument(double value) => new(ValueKind.Double, null, BitConverter.DoubleToInt64Bits(value));

    /// <summary>A truth value.</summary>
    public static implicit operator Argument(bool value) => new(ValueKind.Bool, null, value ? 1 : 0);

    /// <summary>A list of integers, or None for null.</summary>
    public static implicit operator Argument(long[]? values) => values is null ? default : new(ValueKind.IntList, values);

    /// <summary>A list of two integers.</summary>
    public static implicit operator Argument(Size2 size) => new(ValueKind.IntList, null, size.Height, size.Width);

    /// <summary>A list of tensors.</summary>
    public static implicit operator Argument(Tensor[] tensors) => new(ValueKind.TensorList, tensors);

    /// <summary>An element type, or None for null.</summary>
    public static implicit operator Argument(DType? type) => type is { } some ? (long)some : default(Argument);

    /// <summary>A memory format.</summary>
    public static implicit operator Argument(MemoryFormat format) => (long)format;

    /// <summary>A device.</summary>
    public static implicit operator Argument(Device device) => new(ValueKind.Device, null, ((long)device.Type << 32) | (uint)device.Index);

    /// <summary>A text.</summary>
    public static implicit operator Argument(string text) => new(ValueKind.String, text);

    /// <summary>A list of truth values.</summary>
    public static Argument Bools(params bool[] values) => new(ValueKind.BoolList, values);

    /// <summary>A list of tensors some of which may be absent (as indexing takes).</summary>
    public static Argument Optional(params Tensor?[] tensors) => new(ValueKind.OptionalTensorList, tensors);
}
