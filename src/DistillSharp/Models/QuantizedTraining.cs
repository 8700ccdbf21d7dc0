namespace DistillSharp.Models;

/// <summary>
/// Trains a student in its last epochs as its export in whole numbers will compute (Jacob et al., arXiv:1712.05877); the package
/// DistillSharp.Onnx has the one kind that there is.
/// </summary>
public abstract class QuantizedTraining
{
    internal QuantizedTraining() { }

    /// <summary>How many of the last epochs; null for <see cref="UsualEpochs"/>.</summary>
    public int? Epochs { get; init; }

    /// <summary>A tenth of all epochs, and at least one.</summary>
    public static int UsualEpochs(int all) => Math.Max(1, all / 10);

    /// <summary>What the student then computes in, for the log: <c>int8</c>.</summary>
    internal abstract string Name { get; }

    /// <summary>Makes a student ready, on its device, for the features that are asked of it and images of a size.</summary>
    /// <exception cref="UserException">Its operators cannot be seen, or none of them can compute so.</exception>
    internal abstract StudentQuantizer For(Classifier student, Features features, Size2 image);
}
