using DistillSharp.Formats.Files;
using DistillSharp.Interop.Onnx;
using DistillSharp.Models;
using Google.Protobuf;

namespace DistillSharp.Interop;

/// <summary>Writes networks as ONNX (github.com/onnx/onnx), which phones, browsers and servers run.</summary>
public static class OnnxExport
{
    /// <summary>
    /// Writes the network as it computes in evaluation mode: input <c>images</c>, output <c>logits</c> [N, classes]. The file
    /// is whole, or not there; the same network and options give the same bytes.
    /// </summary>
    /// <param name="network">The network; its mode and weights stay as they are.</param>
    /// <param name="path">The file to write; one that exists is replaced.</param>
    /// <param name="options">How; the defaults where it is null.</param>
    /// <exception cref="UserException">
    /// An option is impossible, the network uses an operator that has no counterpart here (the message names it), or the file
    /// cannot be written.
    /// </exception>
    public static void ExportOnnx(this Classifier network, string path, OnnxOptions? options = null)
    {
        options ??= new();
        options.Validate(network.Name, network.Classes);
        var model = OnnxModel.Of(network, options);
        AtomicFile.Write(path, file => model.WriteTo(file));
    }
}
