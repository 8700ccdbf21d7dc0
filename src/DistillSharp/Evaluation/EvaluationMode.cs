using DistillSharp.Models;

namespace DistillSharp.Evaluation;

/// <summary>
/// A network in evaluation mode, its norms folded, without gradients, at a precision. Disposing it restores what was before.
/// </summary>
sealed class EvaluationMode : IDisposable
{
    readonly Evaluating evaluating;
    readonly NormFolding folding;
    readonly IDisposable precision;

    public EvaluationMode(Classifier network, Size2 image, Precision precision, Device device)
    {
        evaluating = new(network);
        folding = network.FoldNorms(image);
        this.precision = precision.Enter(device);
    }

    public void Dispose()
    {
        precision.Dispose();
        folding.Dispose();
        evaluating.Dispose();
    }
}
