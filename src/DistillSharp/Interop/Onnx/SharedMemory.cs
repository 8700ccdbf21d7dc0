namespace DistillSharp.Interop.Onnx;

/// <summary>
/// ONNX values never change, libtorch's do, and through views several tensors at once. A tensor that is changed in place gets
/// a new name; one that shares its memory with another cannot be followed, and is refused.
/// </summary>
sealed class SharedMemory
{
    static readonly HashSet<string> views =
    [
        "aten::reshape", "aten::view", "aten::flatten.using_ints", "aten::transpose.int", "aten::permute", "aten::contiguous",
        "aten::narrow", "aten::select.int", "aten::chunk", "aten::split.Tensor", "aten::split_with_sizes", "aten::unsqueeze",
        "aten::squeeze.dim", "aten::expand", "aten::detach", "aten::to.dtype", "aten::to.device", "aten::alias", "aten::dropout",
    ];

    readonly HashSet<Tensor> shared = new(ReferenceEqualityComparer.Instance);

    /// <exception cref="UserException">The call changes a tensor that shares its memory with another.</exception>
    public void Note(TracedCall call)
    {
        if (call.Arguments is not [{ Tensor: { } first }, ..]) return;
        if (views.Contains(call.Operator))
        {
            shared.Add(first);
            shared.UnionWith(call.Results);
        }
        else if (OnnxOperators.WorksInPlace(call.Operator) && shared.Contains(first))
            throw new UserException("it changes a tensor in place of which there are views");
    }
}
