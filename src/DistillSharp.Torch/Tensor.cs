using System.Runtime.CompilerServices;
using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>
/// A tensor of libtorch. It owns one native handle, which is freed exactly once: by <see cref="Dispose"/>, by the
/// <see cref="TensorScope"/> it was made in, or at last by the garbage collector.
/// </summary>
public sealed partial class Tensor : IDisposable
{
    nint handle;
    long[]? shape;
    long pressure;

    Tensor(nint owned)
    {
        handle = owned;
        LiveTensors.Add(this);
        MoveTo(TensorScope.Current);
    }

    /// <summary>The last resort of a tensor that nobody disposed.</summary>
    ~Tensor() => Free();

    internal TensorScope? Scope { get; private set; }

    internal static Tensor Own(nint handle) => new(handle);

    internal static Tensor? OwnOrNull(nint handle) => handle == 0 ? null : new(handle);

    internal nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(nameof(Tensor), "the tensor was disposed");

    /// <summary>Whether the tensor was freed.</summary>
    public bool IsDisposed => handle == 0;

    /// <summary>Frees the native tensor, once. The memory goes when no view and no autograd graph uses it any more.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    void Free()
    {
        var owned = Interlocked.Exchange(ref handle, 0);
        if (owned == 0) return;
        Native.ds_tensor_free(owned);
        LiveTensors.Remove(this);
        if (pressure > 0) GC.RemoveMemoryPressure(pressure);
    }

    internal void MoveTo(TensorScope? scope)
    {
        Scope = scope;
        if (scope is null) Press();
        else scope.Adopt(this);
    }

    /// <summary>Takes the tensor out of every scope: from here on its holder disposes it.</summary>
    public Tensor Unscoped()
    {
        if (Scope is not null) MoveTo(null);
        return this;
    }

    // Only a tensor that no scope will free leans on the collector, which must then know its weight.
    void Press()
    {
        if (pressure != 0) return;
        pressure = Math.Max(1, Describe().Count * DType.Size());
        GC.AddMemoryPressure(pressure);
    }

    NativeTensorInfo Describe()
    {
        Native.Check(Native.ds_tensor_describe(Handle, out var info));
        return info;
    }

    /// <summary>The sizes of the dimensions.</summary>
    public IReadOnlyList<long> Shape => Sizes;

    long[] Sizes => shape ??= SizesOf(Describe());

    static long[] SizesOf(NativeTensorInfo info) => ((ReadOnlySpan<long>)info.Sizes)[..info.Dimensions].ToArray();

    /// <summary>The size of one dimension; a negative one counts from the end.</summary>
    public long Size(int dimension) => Sizes[dimension < 0 ? Sizes.Length + dimension : dimension];

    /// <summary>Number of dimensions.</summary>
    public int Dimensions => Sizes.Length;

    /// <summary>Number of elements.</summary>
    public long Count => Describe().Count;

    /// <summary>Element type.</summary>
    public DType DType => Describe().Type;

    /// <summary>Where the tensor lives.</summary>
    public Device Device => Describe().Device;

    /// <summary>Whether the elements lie in row-major order without gaps.</summary>
    public bool IsContiguous
    {
        get
        {
            var info = Describe();
            long expected = 1;
            for (var i = info.Dimensions - 1; i >= 0; i--)
            {
                if (info.Sizes[i] == 1) continue;
                if (info.Strides[i] != expected) return false;
                expected *= info.Sizes[i];
            }
            return true;
        }
    }

    /// <summary>Whether gradients are computed for this tensor.</summary>
    public bool RequiresGrad
    {
        get => Describe().RequiresGrad != 0;
        set => Native.Check(Native.ds_tensor_set_requires_grad(Handle, value ? (byte)1 : (byte)0), "requires_grad");
    }

    /// <summary>The gradient that backward passes added up, or null. Each read gives a handle of its own.</summary>
    public Tensor? Grad
    {
        get
        {
            Native.Check(Native.ds_tensor_grad(Handle, out var gradient));
            return OwnOrNull(gradient);
        }
        set => Native.Check(Native.ds_tensor_set_grad(Handle, value?.Handle ?? 0), "grad");
    }

    /// <summary>Runs the backward pass from this tensor.</summary>
    /// <param name="gradient">The gradient to begin with; may be left out for a single element.</param>
    /// <exception cref="TorchException">The tensor has no graph, or several elements and no gradient was given.</exception>
    public void Backward(Tensor? gradient = null) => Native.Check(Native.ds_backward(Handle, gradient?.Handle ?? 0), "backward");

    /// <summary>Lets this tensor take the place in memory of another's elements (shape and type included).</summary>
    public void SetData(Tensor data)
    {
        Native.Check(Native.ds_tensor_set_data(Handle, data.Handle), "set_data");
        shape = null;
    }

    /// <summary>The elements in the order they lie in memory. They are valid while the tensor lives.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not on the CPU, has gaps, or holds another type.</exception>
    public unsafe Span<T> Memory<T>() where T : unmanaged
    {
        var info = Describe();
        if (info.Type.Size() != Unsafe.SizeOf<T>())
            throw new InvalidOperationException($"a tensor of {info.Type} cannot be read as {typeof(T).Name}");
        return new Span<T>((void*)Dense(info), checked((int)info.Count));
    }

    /// <summary>The elements as bytes, in the order they lie in memory. They are valid while the tensor lives.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not on the CPU, or has gaps.</exception>
    public unsafe Span<byte> Bytes()
    {
        var info = Describe();
        return new Span<byte>((void*)Dense(info), checked((int)(info.Count * info.Type.Size())));
    }

    static nint Dense(in NativeTensorInfo info)
    {
        if (info.Device.Type != DeviceType.Cpu)
            throw new InvalidOperationException("the elements of a tensor on a GPU cannot be read in place; copy it to the CPU first");
        long reach = 1;
        for (var i = 0; i < info.Dimensions; i++) reach += (info.Sizes[i] - 1) * info.Strides[i];
        if (info.Count != 0 && reach != info.Count)
            throw new InvalidOperationException("the tensor's elements do not lie side by side; make it contiguous first");
        return info.Data;
    }

    /// <summary>Type, shape and device, for messages.</summary>
    public override string ToString() => IsDisposed ? "Tensor (disposed)" : $"{DType}[{string.Join(", ", Sizes)}] on {Device}";
}
