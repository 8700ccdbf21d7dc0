using System.Runtime.InteropServices;
using DistillSharp.Torch.Interop;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Torch.Distributed;

/// <summary>
/// Processes that compute together, by libtorch's c10d: Gloo on processors, NCCL on GPUs. Every process must make the same calls, in
/// the same order, with tensors of the same shape and type. A call returns when all have made it.
/// </summary>
public sealed unsafe class ProcessGroup : IDisposable
{
    static readonly Operator syncBatchNormRelu = new("distillsharp::sync_batch_norm_relu");

    readonly nint handle;
    bool left;

    ProcessGroup(nint handle, Rendezvous rendezvous, Device device) =>
        (this.handle, Rank, Size, Timeout, Device) = (handle, rendezvous.Rank, rendezvous.Size, rendezvous.Timeout, device);

    /// <summary>What this build can join processes by: gloo, nccl, both, or nothing.</summary>
    public static IReadOnlyList<string> Backends =>
        Native.Text(&Native.ds_process_backends).Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>This process, from 0.</summary>
    public int Rank { get; }

    /// <summary>How many processes there are.</summary>
    public int Size { get; }

    /// <summary>How long one process waits for another.</summary>
    public TimeSpan Timeout { get; }

    /// <summary>Where the tensors lie that the processes exchange.</summary>
    public Device Device { get; }

    internal nint Handle => !left ? handle : throw new ObjectDisposedException(nameof(ProcessGroup), "the process left the group");

    /// <summary>Joins the other processes. Returns when all are there.</summary>
    /// <param name="rendezvous">Where they meet.</param>
    /// <param name="device">Where the tensors lie that they exchange; a GPU with its index.</param>
    /// <exception cref="ProcessGroupException">Not all came in time.</exception>
    /// <exception cref="NotSupportedException">This build cannot join processes on such a device.</exception>
    public static ProcessGroup Join(Rendezvous rendezvous, Device device = default)
    {
        var backend = device.Type == DeviceType.Cuda ? "nccl" : "gloo";
        if (!Backends.Contains(backend))
            throw new NotSupportedException(backend == "gloo"
                ? "this build cannot join processes: its libtorch has no Gloo, or libgloo-dev was "
                    + "not there when the native library was built"
                : "this build cannot join GPUs: nccl.h was not there when the native library was built");
        var (host, prefix) = (Marshal.StringToCoTaskMemUTF8(rendezvous.Host), Marshal.StringToCoTaskMemUTF8(rendezvous.Prefix));
        try
        {
            NativeRendezvous native = new()
            {
                Host = host, Prefix = prefix, Port = rendezvous.Port, Rank = rendezvous.Rank, Size = rendezvous.Size,
                DeviceIndex = device.Type == DeviceType.Cuda ? Math.Max(0, device.Index) : -1,
                IsServer = rendezvous is { Rank: 0, StoreIsKept: false } ? (byte)1 : (byte)0,
                TimeoutMilliseconds = (long)rendezvous.Timeout.TotalMilliseconds,
            };
            Native.Check(Native.ds_process_group_join(native, out var joined), "join");
            return new(joined, rendezvous, device);
        }
        finally
        {
            Marshal.FreeCoTaskMem(host);
            Marshal.FreeCoTaskMem(prefix);
        }
    }

    /// <summary>Adds up a tensor over the processes, in place; all get the same bits.</summary>
    /// <returns>The tensor.</returns>
    public Tensor Sum(Tensor tensor)
    {
        Native.Check(Native.ds_process_group_sum(Handle, tensor.Handle), "sum");
        return tensor;
    }

    /// <summary>Overwrites a tensor by that of one process.</summary>
    /// <returns>The tensor.</returns>
    public Tensor Broadcast(Tensor tensor, int from = 0)
    {
        Native.Check(Native.ds_process_group_broadcast(Handle, tensor.Handle, from), "broadcast");
        return tensor;
    }

    /// <summary>Each process's tensor, in the order of their ranks, without gradients: [...] to [processes, ...].</summary>
    public Tensor Gather(Tensor tensor)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        Native.Check(Native.ds_process_group_gather(Handle, tensor.Detach().Handle, out var gathered), "gather");
        return scope.Keep(Tensor.Own(gathered));
    }

    /// <summary>Waits until all processes are here.</summary>
    public void Barrier() => Native.Check(Native.ds_process_group_barrier(Handle), "barrier");

    /// <summary>relu(norm(x) + residual) in training, with mean and variance of all processes' rows, forward and backward.</summary>
    internal Tensor BatchNormRelu(Tensor x, BatchNorm2d norm, Tensor? residual, bool relu) => syncBatchNormRelu.Call(
        x, norm.Weight, norm.Bias, norm.RunningMean, norm.RunningVar, residual, relu, norm.Momentum, norm.Epsilon, (long)Handle);

    /// <summary>Leaves the group. Not after a <see cref="ProcessGroupException"/>: leaving would wait for what will not come.</summary>
    public void Dispose()
    {
        if (left) return;
        left = true;
        Native.ds_process_group_leave(handle);
    }
}
