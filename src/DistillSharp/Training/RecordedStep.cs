using DistillSharp.Data;

namespace DistillSharp.Training;

/// <summary>
/// The passes of a training step as a GPU has recorded them: from a batch to the values of the loss's terms and the gradients. Small
/// networks take a GPU less time than starting its kernels takes the host, which a recording does at once.
/// </summary>
sealed class RecordedStep : IDisposable
{
    readonly IReadOnlyList<Tensor> parameters;
    readonly DeviceBatch taken;
    readonly DeviceGraph graph;
    readonly Tensor?[] gradients;
    Tensor? values;

    /// <param name="batch">A batch like those to come.</param>
    /// <param name="device">A GPU that can record.</param>
    /// <param name="parameters">What gets gradients.</param>
    /// <param name="passes">From a batch to the names and values of the terms, the backward pass included.</param>
    /// <exception cref="TorchException">The passes cannot be recorded.</exception>
    public RecordedStep(Batch batch, Device device, IReadOnlyList<Tensor> parameters,
        Func<DeviceBatch, (string[] Terms, Tensor Values)> passes)
    {
        (Count, this.parameters) = (batch.Count, parameters);
        using var scope = TensorScope.Open();
        taken = DeviceBatch.Of(batch, device);
        // Gradients that are there would be added to.
        Autograd.ClearGradients(parameters);
        graph = DeviceGraph.Record(device, () =>
        {
            using var inner = TensorScope.Open();
            (Terms, values) = passes(taken);
            inner.Keep(values);
        });
        gradients = Autograd.Gradients(parameters);
        foreach (var tensor in taken.All.Concat(gradients.OfType<Tensor>()).Append(values!)) tensor.Unscoped();
    }

    /// <summary>The names of the loss's terms.</summary>
    public string[] Terms { get; private set; } = [];

    /// <summary>Images of a batch.</summary>
    public int Count { get; }

    /// <summary>Does the passes for another batch, and puts the gradients in place.</summary>
    /// <returns>The values of the terms.</returns>
    public float[] Run(Batch batch)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        foreach (var (own, next) in taken.All.Zip(DeviceBatch.Of(batch, Device.Cpu).All)) own.CopyFrom(next);
        graph.Replay();
        for (var i = 0; i < gradients.Length; i++) parameters[i].Grad = gradients[i];
        return values!.ToArray<float>();
    }

    /// <summary>Frees the recording and its memory.</summary>
    public void Dispose()
    {
        graph.Dispose();
        foreach (var tensor in taken.All.Concat(gradients.OfType<Tensor>()).Append(values!)) tensor.Dispose();
    }
}
