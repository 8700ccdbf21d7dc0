using DistillSharp.Formats.Files;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats;

/// <summary>Weights in whatever form they come: PyTorch's zip form, its older form, safetensors. The content decides, not the name.</summary>
public static class WeightsFile
{
    /// <summary>
    /// Reads the named tensors of a file in its order. In a PyTorch file the state dict may be all there is, or lie, at any
    /// depth, under <c>state_dict</c>, <c>model_state_dict</c>, <c>model_state</c>, <c>model</c>, <c>net</c>,
    /// <c>net_state_dict</c>, <c>network</c>, <c>student</c>, <c>student_state_dict</c>, <c>module</c>, <c>weights</c> or
    /// <c>params</c> (the first of these that holds tensors), or be the only dict of tensors in the file's own.
    /// </summary>
    /// <remarks>
    /// Prefixes that every name has are taken off, as long as there is one of <c>module.</c>, <c>_orig_mod.</c>,
    /// <c>student.</c>, <c>teacher.</c>, <c>model_s.</c>, <c>model_t.</c>, <c>model.</c>, <c>net.</c>, <c>network.</c>,
    /// <c>_model.</c>.
    /// </remarks>
    /// <exception cref="UserException">There is no such file, it holds no weights in a known form, or it is damaged.</exception>
    public static IReadOnlyList<StoredTensor> Read(string path) => InputFile.Read(path, file => Read(file, path));

    /// <summary>Reads from the start of a seekable stream.</summary>
    internal static IReadOnlyList<StoredTensor> Read(Stream file, string name) => NamePrefix.Strip(FileKinds.Of(file, name) switch
    {
        FileKind.TorchZip => TorchZip.Read(file, name),
        FileKind.TorchLegacy => TorchLegacy.Read(file, name),
        _ => SafeTensorsFile.Read(file, name).Tensors,
    });
}
