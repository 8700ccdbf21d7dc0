using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch.Distributed;

/// <summary>
/// Adds up gradients over the processes. Parameters are put into buckets, the last ones first, as their gradients come in that order;
/// a bucket is sent as soon as all its gradients are there, while the backward pass computes the others.
/// </summary>
public sealed unsafe class GradientReducer : IDisposable
{
    /// <summary>The size of a bucket; the first is smaller. As in PyTorch.</summary>
    public const long DefaultBucketBytes = 25L << 20;

    nint handle;

    /// <param name="group">The processes; it must outlive this.</param>
    /// <param name="parameters">What is trained, on its device already; those that record no gradients are left out.</param>
    /// <param name="scales">A factor of each parameter's sum; null for 1.</param>
    /// <param name="bucketBytes">The size of a bucket.</param>
    public GradientReducer(
        ProcessGroup group, IReadOnlyList<Tensor> parameters, IReadOnlyList<double>? scales = null, long bucketBytes = DefaultBucketBytes)
    {
        var handles = parameters.Select(parameter => parameter.Handle).ToArray();
        var factors = scales?.ToArray() ?? [.. Enumerable.Repeat(1.0, handles.Length)];
        if (factors.Length != handles.Length)
            throw new ArgumentException($"{factors.Length} factors for {handles.Length} parameters", nameof(scales));
        fixed (nint* first = handles)
        fixed (double* factor = factors)
            Native.Check(
                Native.ds_gradient_reducer_make(group.Handle, first, factor, handles.Length, bucketBytes, out handle), "gradient reducer");
    }

    /// <summary>How many buckets were under way when the last backward pass ended.</summary>
    public int SentEarly => Native.ds_gradient_reducer_early(handle);

    /// <summary>
    /// Makes ready for a backward pass: its gradients, with what they are added to, are those that are summed. Call it before the last
    /// pass where several add to the same gradients.
    /// </summary>
    public void Begin() => Native.Check(Native.ds_gradient_reducer_begin(handle), "gradient reducer");

    /// <summary>Waits for the sums, and puts them in the gradients' places.</summary>
    /// <exception cref="ProcessGroupException">Another process ended or does not answer.</exception>
    public void End() => Native.Check(Native.ds_gradient_reducer_end(handle), "gradient reducer");

    public void Dispose()
    {
        var owned = Interlocked.Exchange(ref handle, 0);
        if (owned != 0) Native.ds_gradient_reducer_free(owned);
    }
}
