namespace DistillSharp.Models;

/// <summary>Puts a network into evaluation mode, and turns gradients off on this thread, until it is disposed.</summary>
sealed class Evaluating : IDisposable
{
    readonly Module network;
    readonly bool training;
    readonly IDisposable gradients = Autograd.NoGrad();

    public Evaluating(Module network)
    {
        (this.network, training) = (network, network.Training);
        network.Train(false);
    }

    public void Dispose()
    {
        gradients.Dispose();
        network.Train(training);
    }
}
