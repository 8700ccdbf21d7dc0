using DistillSharp.Extending;

namespace DistillSharp.Onnx.Quantization;

/// <summary>
/// Quantization-aware training for <see cref="Int8Export"/>: in its last epochs a student computes with weights and activations rounded
/// as its QDQ graph will round them, batch norms folded with the statistics that they have by then (arXiv:1712.05877; gradients pass the
/// rounding straight through, arXiv:1308.3432). The ranges of activations are moving averages of the least and largest value of each
/// batch; the export takes them over.
/// </summary>
public sealed class Int8Training : QuantizedTraining
{
    const string Key = "int8";

    /// <summary>Lets recipes that are read by this toolkit say <c>train: { quantize: int8 }</c>.</summary>
    public static void Register(Toolkit toolkit) => toolkit.Quantizations.Add(Key, epochs => new Int8Training { Epochs = epochs });

    internal override string Name => Key;

    internal override StudentQuantizer For(Classifier student, Features features, Size2 image) =>
        new Int8Simulation(student, features, image);
}
