using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>
/// What a GPU was given to do, recorded once and then done again by one call, which takes the host far less time than starting
/// every operator does (a CUDA graph). A replay reads and writes the same tensors as the recording: numbers that go in are
/// copied into tensors made before, and what comes out lies where it lay. What the host did meanwhile is not repeated.
/// </summary>
public sealed class DeviceGraph : IDisposable
{
    nint handle;

    DeviceGraph(nint handle) => this.handle = handle;

    /// <summary>Whether this libtorch can record what that device does.</summary>
    public static bool IsSupported(Device device) => device.Type == DeviceType.Cuda && Native.ds_has_cuda_graphs() != 0;

    /// <summary>
    /// Records what an action gives a GPU to do, without doing it. Tensors that the action makes hold no numbers before the first replay.
    /// </summary>
    /// <exception cref="TorchException">
    /// The device cannot be recorded, or the action waits for it, as whoever reads a number back does.
    /// </exception>
    public static DeviceGraph Record(Device device, Action action)
    {
        Native.Check(Native.ds_cuda_graph_begin(device.Index, out var handle), "cuda_graph_begin");
        var graph = new DeviceGraph(handle);
        var ended = false;
        try
        {
            action();
            ended = true;
            Native.Check(Native.ds_cuda_graph_end(handle), "cuda_graph_end");
            return graph;
        }
        catch
        {
            // The thread leaves the recording in any case; the first failure is the one to tell.
            if (!ended) _ = Native.ds_cuda_graph_end(handle);
            graph.Dispose();
            throw;
        }
    }

    /// <summary>Lets the device do again what was recorded, after what it was given before.</summary>
    public void Replay()
    {
        ObjectDisposedException.ThrowIf(handle == 0, this);
        Native.Check(Native.ds_cuda_graph_replay(handle), "cuda_graph_replay");
    }

    /// <summary>Frees the recording; the tensors it reads and writes stay their holders'.</summary>
    public void Dispose()
    {
        var owned = Interlocked.Exchange(ref handle, 0);
        if (owned != 0) Native.ds_cuda_graph_free(owned);
    }
}
