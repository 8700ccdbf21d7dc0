using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>A point in what a GPU was given to do, which the host can wait for without waiting for what came after.</summary>
public sealed class DeviceEvent : IDisposable
{
    readonly Device device;
    nint handle;

    /// <param name="device">A GPU that can record (<see cref="DeviceGraph.IsSupported"/>).</param>
    /// <exception cref="TorchException">This libtorch has no such device.</exception>
    public DeviceEvent(Device device)
    {
        this.device = device;
        Native.Check(Native.ds_cuda_event_make(out handle), "cuda_event");
    }

    /// <summary>The point is now: behind all that this thread gave the device so far.</summary>
    public void Record() => Native.Check(Native.ds_cuda_event_record(Handle, device.Index), "cuda_event_record");

    /// <summary>Waits until the device is there; not at all where no point was recorded.</summary>
    public void Wait() => Native.Check(Native.ds_cuda_event_wait(Handle), "cuda_event_wait");

    nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(handle == 0, this);
            return handle;
        }
    }

    /// <summary>Frees it.</summary>
    public void Dispose()
    {
        var owned = Interlocked.Exchange(ref handle, 0);
        if (owned != 0) Native.ds_cuda_event_free(owned);
    }
}
