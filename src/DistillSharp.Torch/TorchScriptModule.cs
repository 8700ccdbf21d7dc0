using System.Runtime.InteropServices;
using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>
/// A network saved by <c>torch.jit.save</c>, in evaluation mode and without gradients for its own parameters. Such a file is
/// a program: load only what you would run.
/// </summary>
public sealed unsafe class TorchScriptModule : IDisposable
{
    const int MaxResults = 16;
    nint handle;

    TorchScriptModule(nint owned) => handle = owned;

    /// <summary>The last resort of a module that nobody disposed.</summary>
    ~TorchScriptModule() => Free();

    /// <summary>Loads a file.</summary>
    /// <exception cref="TorchException">It is missing, damaged, or no TorchScript file of a version that this libtorch reads.</exception>
    public static TorchScriptModule Load(string path)
    {
        Native.Check(Native.ds_module_load(path, out var loaded), "torch.jit.load");
        return new(loaded);
    }

    /// <summary>Runs the network.</summary>
    /// <param name="input">Its one argument.</param>
    /// <returns>The tensor, or the tensors of the tuple or list, that it returns.</returns>
    /// <exception cref="TorchException">The network failed, or returned anything else.</exception>
    public Tensor[] Forward(Tensor input)
    {
        var results = stackalloc nint[MaxResults];
        Native.Check(Native.ds_module_forward(Handle, input.Handle, results, MaxResults, out var written), "torch.jit forward");
        return Array.ConvertAll(new Span<nint>(results, written).ToArray(), Tensor.Own);
    }

    /// <summary>
    /// Parameters and buffers with their names. They are the module's own: to move them by <see cref="Tensor.SetData"/> is to
    /// move the module. Whoever asks disposes them.
    /// </summary>
    public IReadOnlyList<(string Name, Tensor Tensor, bool IsParameter)> State()
    {
        const int longest = 1024;
        var name = stackalloc byte[longest];
        var state = new List<(string, Tensor, bool)>();
        while (true)
        {
            Native.Check(
                Native.ds_module_state(Handle, state.Count, name, longest, out var tensor, out var isParameter), "torch.jit state");
            if (Tensor.OwnOrNull(tensor) is not { } found) return state;
            state.Add((Marshal.PtrToStringUTF8((nint)name)!, found, isParameter != 0));
        }
    }

    nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(nameof(TorchScriptModule));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    void Free()
    {
        var owned = Interlocked.Exchange(ref handle, 0);
        if (owned != 0) Native.ds_module_free(owned);
    }
}
