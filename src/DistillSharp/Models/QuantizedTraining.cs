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

    /// <summary>Makes a student ready.</summary>
    /// <param name="student">The student, on its device.</param>
    /// <param name="features">What is asked of it beside its logits.</param>
    /// <param name="image">Height and width of its images.</param>
    /// <exception cref="UserException">Its operators cannot be seen, or none of them can compute so.</exception>
    internal abstract StudentQuantizer For(Classifier student, Features features, Size2 image);
}
