using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats;

/// <summary>Prefixes that wrappers put before the names of a network's state.</summary>
internal static class NamePrefix
{
    /// <summary>
    /// DataParallel and DDP write <c>module.</c>, compiled models <c>_orig_mod.</c>, distillation programs <c>student.</c>,
    /// <c>model_s.</c> or <c>teacher.</c>, trainers the rest.
    /// </summary>
    public static IReadOnlyList<string> Known { get; } =
        ["module.", "_orig_mod.", "student.", "teacher.", "model_s.", "model_t.", "model.", "net.", "network.", "_model."];

    /// <summary>Takes off, again and again, a known prefix that every name has. A prefix that only some have is a part of the network.</summary>
    public static IReadOnlyList<StoredTensor> Strip(IReadOnlyList<StoredTensor> tensors)
    {
        if (tensors.Count == 0) return tensors;
        var length = 0;
        while (Known.FirstOrDefault(prefix => tensors.All(tensor => Continues(tensor.Name, length, prefix))) is { } common) length += common.Length;
        return length == 0 ? tensors : [.. tensors.Select(tensor => tensor with { Name = tensor.Name[length..] })];
    }

    static bool Continues(string name, int start, string prefix) =>
        name.Length > start + prefix.Length && name.AsSpan(start).StartsWith(prefix, StringComparison.Ordinal);
}
