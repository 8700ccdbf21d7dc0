using System.Buffers;
using System.Runtime.InteropServices;
using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>
/// An operator of libtorch, resolved by name once and called through the boxed dispatcher: the one way to every operator,
/// those of this project's native kernels included.
/// </summary>
/// <param name="name">Name and overload as in libtorch's schemas: <c>aten::add.Tensor</c>, <c>aten::relu</c>.</param>
public sealed unsafe class Operator(string name)
{
    const int InlineWords = 128;
    nint handle;

    /// <summary>Name and overload.</summary>
    public string Name { get; } = name;

    /// <summary>Calls the operator and returns its one tensor.</summary>
    /// <param name="arguments">In the order of the schema, keyword-only ones last; trailing defaults may be left out.</param>
    /// <exception cref="TorchException">libtorch refused the call, or has no such operator.</exception>
    /// <exception cref="ObjectDisposedException">An argument was disposed.</exception>
    public Tensor Call(params ReadOnlySpan<Argument> arguments)
    {
        if (OperatorTrace.Replaced(this, arguments) is { } replaced) return replaced;
        NativeValue result;
        Expect(Invoke(arguments, &result, 1), 1);
        var tensor = Tensor.Own(result.Pointer);
        if (OperatorTrace.IsRecording) OperatorTrace.Note(this, arguments, tensor);
        return tensor;
    }

    /// <summary>Calls an operator that returns two tensors.</summary>
    /// <inheritdoc cref="Call"/>
    public (Tensor, Tensor) Call2(params ReadOnlySpan<Argument> arguments)
    {
        var results = stackalloc NativeValue[2];
        Expect(Invoke(arguments, results, 2), 2);
        var (first, second) = (Tensor.Own(results[0].Pointer), Tensor.Own(results[1].Pointer));
        if (OperatorTrace.IsRecording) OperatorTrace.Note(this, arguments, first, second);
        return (first, second);
    }

    /// <summary>Calls an operator that returns three tensors; an undefined one comes as null.</summary>
    /// <inheritdoc cref="Call"/>
    public (Tensor, Tensor?, Tensor?) Call3(params ReadOnlySpan<Argument> arguments)
    {
        var results = stackalloc NativeValue[3];
        Expect(Invoke(arguments, results, 3), 3);
        return (Tensor.Own(results[0].Pointer), Tensor.OwnOrNull(results[1].Pointer), Tensor.OwnOrNull(results[2].Pointer));
    }

    /// <summary>Calls an operator that returns at most <paramref name="capacity"/> tensors; undefined ones are left out.</summary>
    /// <inheritdoc cref="Call"/>
    public Tensor[] CallList(int capacity, params ReadOnlySpan<Argument> arguments)
    {
        var results = new NativeValue[capacity];
        fixed (NativeValue* first = results)
        {
            var written = Invoke(arguments, first, capacity);
            var tensors =
                Array.ConvertAll(Array.FindAll(results[..written], result => result.Pointer != 0), result => Tensor.Own(result.Pointer));
            if (OperatorTrace.IsRecording) OperatorTrace.Note(this, arguments, tensors);
            return tensors;
        }
    }

    /// <summary>Calls an operator that works in place; a tensor that it returns as well is let go.</summary>
    /// <inheritdoc cref="Call"/>
    public void CallInPlace(params ReadOnlySpan<Argument> arguments)
    {
        NativeValue result;
        if (Invoke(arguments, &result, 1) == 1 && result.Kind == ValueKind.Tensor) Native.ds_tensor_free(result.Pointer);
        if (OperatorTrace.IsRecording && arguments[0].Reference is Tensor changed) OperatorTrace.Note(this, arguments, changed);
    }

    /// <summary>Calls an operator that returns a truth value.</summary>
    /// <inheritdoc cref="Call"/>
    public bool CallBool(params ReadOnlySpan<Argument> arguments)
    {
        NativeValue result;
        Expect(Invoke(arguments, &result, 1), 1);
        return result.Integer != 0;
    }

    void Expect(int written, int expected)
    {
        if (written != expected) throw new TorchException(Name, $"returned {written} values; the caller expects {expected}");
    }

    int Invoke(ReadOnlySpan<Argument> arguments, NativeValue* results, int capacity)
    {
        var resolved = Volatile.Read(ref handle);
        if (resolved == 0) Volatile.Write(ref handle, resolved = Resolve());

        var words = 0;
        foreach (ref readonly var argument in arguments) words += Words(argument);
        long[]? rented = words > InlineWords ? ArrayPool<long>.Shared.Rent(words) : null;
        Span<long> lists = rented ?? stackalloc long[InlineWords];
        var values = stackalloc NativeValue[arguments.Length];
        try
        {
            fixed (long* next = lists)
            {
                var free = next;
                for (var i = 0; i < arguments.Length; i++)
                {
                    Marshal(arguments[i], ref values[i], free);
                    free += Words(arguments[i]);
                }
                Native.Check(Native.ds_operator_call(resolved, values, arguments.Length, results, capacity, out var written), Name);
                return written;
            }
        }
        finally
        {
            if (rented is not null) ArrayPool<long>.Shared.Return(rented);
        }
    }

    // Two threads may resolve at once and find the same; neither may see what a call has not finished writing.
    nint Resolve()
    {
        var dot = Name.IndexOf('.');
        var (schema, overload) = dot < 0 ? (Name, "") : (Name[..dot], Name[(dot + 1)..]);
        Native.Check(Native.ds_operator_find(schema, overload, out var found), Name);
        return found;
    }

    // How many 8-byte words an argument needs beside its own value.
    static int Words(in Argument argument) => argument.Kind switch
    {
        ValueKind.IntList => argument.Reference is long[] list ? list.Length : 2,
        ValueKind.TensorList or ValueKind.OptionalTensorList => ((Tensor?[])argument.Reference!).Length,
        ValueKind.BoolList => (((bool[])argument.Reference!).Length + 7) / 8,
        ValueKind.String => (Encoding.UTF8.GetByteCount((string)argument.Reference!) + 7) / 8,
        _ => 0,
    };

    static void Marshal(in Argument argument, ref NativeValue value, long* free)
    {
        (value.Kind, value.Count, value.Pointer) = (argument.Kind, 0, (nint)free);
        switch (argument.Kind)
        {
            case ValueKind.Tensor:
                value.Pointer = ((Tensor)argument.Reference!).Handle;
                break;
            case ValueKind.IntList when argument.Reference is null:
                (free[0], free[1], value.Count) = (argument.First, argument.Second, 2);
                break;
            case ValueKind.IntList:
                var list = (long[])argument.Reference;
                list.CopyTo(new Span<long>(free, value.Count = list.Length));
                break;
            case ValueKind.TensorList or ValueKind.OptionalTensorList:
                foreach (var tensor in (Tensor?[])argument.Reference!) free[value.Count++] = tensor?.Handle ?? 0;
                break;
            case ValueKind.BoolList:
                var bools = (bool[])argument.Reference!;
                MemoryMarshal.AsBytes<bool>(bools).CopyTo(new Span<byte>(free, value.Count = bools.Length));
                break;
            case ValueKind.String:
                value.Count = Encoding.UTF8.GetBytes((string)argument.Reference!, new Span<byte>(free, Words(argument) * sizeof(long)));
                break;
            default:
                value.Integer = argument.First;
                break;
        }
    }
}
