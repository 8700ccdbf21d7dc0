using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>State dicts for PyTorch, in the zip form of <c>torch.save</c>. Whatever PyTorch wrote is read by <c>WeightsFile</c>.</summary>
public static class PyTorchFile
{
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
