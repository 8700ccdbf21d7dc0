using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Evaluation;

/// <summary>A network in evaluation mode, without gradients, at a precision. Disposing it restores what was before.</summary>
sealed class EvaluationMode : IDisposable
{
    readonly Classifier network;
    readonly bool training;
    readonly IDisposable gradients, precision;

    public EvaluationMode(Classifier network, Precision precision, Device device)
    {
        (this.network, training) = (network, network.Training);
        network.Train(false);
        gradients = Autograd.NoGrad();
        this.precision = precision.Enter(device);
    }

    public void Dispose()
    {
        precision.Dispose();
        gradients.Dispose();
        network.Train(training);
    }
}
