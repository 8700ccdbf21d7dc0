using System.Runtime.CompilerServices;

namespace DistillSharp.Torch;

public sealed partial class Tensor
{
    static readonly Operator empty = new("aten::empty.memory_format"), full = new("aten::full"), zerosLike = new("aten::zeros_like");
    static readonly Operator scalar = new("aten::scalar_tensor"), arange = new("aten::arange.start"), eye = new("aten::eye");
    static readonly Operator randn = new("aten::randn"), rand = new("aten::rand");

    /// <summary>A tensor whose elements are not set.</summary>
    public static Tensor Empty(long[] shape, DType type = DType.Float32, Device device = default,
        MemoryFormat format = MemoryFormat.Contiguous) => empty.Call(shape, (DType?)type, Argument.None, device, false, format);

    /// <summary>A tensor of one value.</summary>
    public static Tensor Full(long[] shape, double value, DType type = DType.Float32, Device device = default) =>
        full.Call(shape, value, (DType?)type, Argument.None, device, false);

    /// <summary>A tensor of zeros.</summary>
    public static Tensor Zeros(long[] shape, DType type = DType.Float32, Device device = default) => Full(shape, 0, type, device);

    /// <summary>Zeros of another tensor's shape, type, device and order in memory.</summary>
    public static Tensor ZerosLike(Tensor other) => zerosLike.Call(other);

    /// <summary>A tensor of ones.</summary>
    public static Tensor Ones(long[] shape, DType type = DType.Float32, Device device = default) => Full(shape, 1, type, device);

    /// <summary>A tensor without dimensions.</summary>
    public static Tensor Scalar(double value, DType type = DType.Float32, Device device = default) =>
        scalar.Call(value, (DType?)type, Argument.None, device, false);

    /// <summary>start, start + 1, ... below end: [end - start].</summary>
    public static Tensor Range(long start, long end, DType type = DType.Int64, Device device = default) =>
        arange.Call(start, end, (DType?)type, Argument.None, device, false);

    /// <summary>Draws from the standard normal distribution (libtorch's generator of that device).</summary>
    public static Tensor Randn(long[] shape, DType type = DType.Float32, Device device = default) =>
        randn.Call(shape, (DType?)type, Argument.None, device, false);

    /// <summary>Draws from [0, 1) (libtorch's generator of that device).</summary>
    public static Tensor Rand(long[] shape, DType type = DType.Float32, Device device = default) =>
        rand.Call(shape, (DType?)type, Argument.None, device, false);

    /// <summary>The identity matrix [size, size].</summary>
    public static Tensor Eye(long size, DType type = DType.Float32, Device device = default) =>
        eye.Call(size, (DType?)type, Argument.None, device, false);

    /// <summary>Copies values, in row-major order, into a new tensor on the CPU.</summary>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> values, params long[] shape) where T : unmanaged
    {
        if (shape.Length == 0 && values.Length != 1) shape = [values.Length];
        if (shape.Aggregate(1L, (product, size) => product * size) != values.Length)
            throw new ArgumentException(
                $"{values.Length} values do not fill a tensor of shape [{string.Join(", ", shape)}]", nameof(values));
        var tensor = Empty(shape, TypeOf<T>());
        values.CopyTo(tensor.Memory<T>());
        return tensor;
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, long[])"/>
    public static Tensor From<T>(T[] values, params long[] shape) where T : unmanaged => From((ReadOnlySpan<T>)values, shape);

    /// <summary>The elements in row-major order, copied to the CPU and converted to the type asked for.</summary>
    public T[] ToArray<T>() where T : unmanaged
    {
        using var scope = TensorScope.Open();
        return Detach().To(Device.Cpu).To(TypeOf<T>()).Contiguous().Memory<T>().ToArray();
    }

    /// <summary>The one element, as a double.</summary>
    /// <exception cref="InvalidOperationException">The tensor does not hold exactly one element.</exception>
    public unsafe double Item()
    {
        var info = Describe();
        if (info.Count != 1) throw new InvalidOperationException($"a tensor of {info.Count} elements has no single value");
        // The usual types are read where they lie: a loop that looks at its losses pays for no operator.
        var at = (void*)info.Data;
        return (info.Device.Type == DeviceType.Cpu ? info.Type : default(DType?)) switch
        {
            DType.Float32 => *(float*)at,
            DType.Float64 => *(double*)at,
            DType.BFloat16 => BitConverter.Int32BitsToSingle(*(ushort*)at << 16),
            DType.Int64 => *(long*)at,
            _ => ToArray<double>()[0],
        };
    }

    static DType TypeOf<T>() where T : unmanaged => default(T) switch
    {
        float => DType.Float32,
        double => DType.Float64,
        long => DType.Int64,
        int => DType.Int32,
        short => DType.Int16,
        byte => DType.UInt8,
        sbyte => DType.Int8,
        bool => DType.Bool,
        Half => DType.Float16,
        _ => throw new NotSupportedException($"{typeof(T).Name} (of {Unsafe.SizeOf<T>()} bytes) is no element type of libtorch"),
    };
}
