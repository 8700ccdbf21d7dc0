using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>Gradients of many tensors at once, and the switch that turns recording off.</summary>
public static class Autograd
{
    /// <summary>
    /// Turns recording off on this thread until disposed. The results may later be saved for a backward pass
    /// (unlike those of libtorch's inference mode).
    /// </summary>
    public static GradMode NoGrad() => new(false);

    /// <summary>Whether operators on this thread are recorded.</summary>
    public static bool Enabled => Native.ds_grad_mode() != 0;

    /// <summary>Drops the gradients, so that the next backward pass writes new ones instead of adding.</summary>
    public static unsafe void ClearGradients(IReadOnlyList<Tensor> tensors)
    {
        var handles = Handles(tensors);
        fixed (nint* first = handles) Native.Check(Native.ds_tensors_clear_grad(first, handles.Length), "zero_grad");
    }

    /// <summary>The gradients, null where a tensor has none.</summary>
    public static unsafe Tensor?[] Gradients(IReadOnlyList<Tensor> tensors)
    {
        var handles = Handles(tensors);
        var gradients = new nint[handles.Length];
        fixed (nint* first = handles, into = gradients) Native.Check(Native.ds_tensors_grad(first, handles.Length, into), "grad");
        return Array.ConvertAll(gradients, Tensor.OwnOrNull);
    }

    static nint[] Handles(IReadOnlyList<Tensor> tensors) => [.. tensors.Select(tensor => tensor.Handle)];

    /// <summary>Restores the former mode when disposed.</summary>
    public readonly struct GradMode : IDisposable
    {
        readonly bool before;

        internal GradMode(bool enabled)
        {
            before = Enabled;
            Native.ds_set_grad_mode(enabled ? (byte)1 : (byte)0);
        }

        public void Dispose() => Native.ds_set_grad_mode(before ? (byte)1 : (byte)0);
    }
}
