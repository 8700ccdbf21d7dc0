using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Evaluation;

/// <summary>
/// A network in evaluation mode, its norms folded, without gradients, at a precision. Disposing it restores what was before.
/// </summary>
sealed class EvaluationMode : IDisposable
{
    readonly Classifier network;
    readonly bool training;
    readonly NormFolding folding;
    readonly IDisposable gradients, precision;

    public EvaluationMode(Classifier network, Size2 image, Precision precision, Device device)
    {
        (this.network, training) = (network, network.Training);
        folding = network.FoldNorms(image);
        gradients = Autograd.NoGrad();
        this.precision = precision.Enter(device);
    }

    public void Dispose()
    {
        precision.Dispose();
        gradients.Dispose();
        folding.Dispose();
        network.Train(training);
    }
}
