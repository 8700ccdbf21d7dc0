using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// Checkpoints of PyTorch: the state dict in one written by <c>torch.save</c>, in its zip form or the older one without.
/// The file is read as data; nothing in it is run.
/// </summary>
public static class PyTorchFile
{
    /// <summary>
    /// Reads the state dict of a checkpoint, in its order, as <see cref="WeightsFile.Read(string)"/> does: found under the
    /// usual keys, without the usual prefixes. Entries that are no tensors are left out.
    /// </summary>
    /// <exception cref="UserException">There is no such file; it is no checkpoint, is damaged, or names what plain data does not need.</exception>
    public static IReadOnlyList<StoredTensor> Read(string path) => InputFile.Read(path, file => Read(file, path));

    /// <summary>Reads from the start of a seekable stream.</summary>
    internal static IReadOnlyList<StoredTensor> Read(Stream file, string name)
    {
        var kind = FileKinds.Of(file, name);
        if (kind == FileKind.SafeTensors) throw new UserException($"{name}: is a safetensors file, not one of PyTorch.");
        return WeightsFile.Read(file, name);
    }

    /// <summary>
    /// Writes a state dict that <c>torch.load</c> reads, with <c>weights_only=True</c> too: whole, or not at all. The same
    /// tensors give the same bytes.
    /// </summary>
    /// <param name="path">The file to write; one that exists is replaced.</param>
    /// <param name="tensors">The tensors in the state dict's order; no two of one name.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a tensor's bytes do not fit its shape.</exception>
    /// <exception cref="UserException">The file cannot be written; what was there before is untouched.</exception>
    public static void Write(string path, IReadOnlyList<StoredTensor> tensors)
    {
        var pickle = StateDictPickle.Encode(tensors);
        AtomicFile.Write(path, file => TorchZip.Write(file, pickle, tensors));
    }
}
