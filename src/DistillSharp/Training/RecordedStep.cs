using DistillSharp.Data;

namespace DistillSharp.Training;

/// <summary>
/// The passes of a training step as a GPU has recorded them: from a batch to the values of the loss's terms and the gradients. Small
/// networks take a GPU less time than starting its kernels takes the host, which a recording does at once. The host does not wait for
/// the device: it prepares the next step while one is under way.
/// </summary>
sealed class RecordedStep : IDisposable
{
    readonly IReadOnlyList<Tensor> parameters;
    readonly DeviceBatch taken;
    readonly DeviceGraph graph;
    readonly Tensor?[] gradients;
    readonly Passage[] passages;
    Tensor? values;
    int begun;

    /// <param name="batch">A batch like those to come.</param>
    /// <param name="epoch">The epoch that the passes belong to.</param>
    /// <param name="device">A GPU that can record.</param>
    /// <param name="parameters">What gets gradients.</param>
    /// <param name="passes">From a batch to the names and values of the terms, the backward pass included.</param>
    /// <exception cref="TorchException">The passes cannot be recorded.</exception>
    public RecordedStep(Batch batch, int epoch, Device device, IReadOnlyList<Tensor> parameters,
        Func<DeviceBatch, (string[] Terms, Tensor Values)> passes)
    {
        (Epoch, Count, this.parameters) = (epoch, batch.Count, parameters);
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
        passages = [new(batch, values!, device), new(batch, values!, device)];
        foreach (var tensor in taken.All.Concat(gradients.OfType<Tensor>()).Append(values!)) tensor.Unscoped();
    }

    /// <summary>The epoch that was recorded: methods may depend on it.</summary>
    public int Epoch { get; }

    /// <summary>The names of the loss's terms.</summary>
    public string[] Terms { get; private set; } = [];

    /// <summary>Images of a batch.</summary>
    public int Count { get; }

    /// <summary>
    /// Gives the device the passes for another batch to do, and puts the gradients in place. The batch may change at once.
    /// </summary>
    /// <returns>Waits for the values of the terms; they must be asked for before the step after the next begins.</returns>
    public Func<float[]> Begin(Batch batch)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var passage = passages[begun++ % passages.Length];
        passage.Enter(batch, taken);
        graph.Replay();
        for (var i = 0; i < gradients.Length; i++) parameters[i].Grad = gradients[i];
        passage.Leave(values!);
        return passage.Read;
    }

    /// <summary>Frees the recording and its memory.</summary>
    public void Dispose()
    {
        foreach (var passage in passages) passage.Dispose();
        graph.Dispose();
        foreach (var tensor in taken.All.Concat(gradients.OfType<Tensor>()).Append(values!)) tensor.Dispose();
    }

    /// <summary>Memory of the host through which a step's numbers come and go while the step before it is under way.</summary>
    sealed class Passage(Batch batch, Tensor values, Device device) : IDisposable
    {
        readonly Tensor[] entering = [.. DeviceBatch.Of(batch, Device.Cpu).All.Select(tensor => tensor.Pinned().Unscoped())];
        readonly Tensor leaving = Tensor.ZerosLike(values).To(Device.Cpu).Pinned().Unscoped();
        readonly DeviceEvent left = new(device);

        public void Enter(Batch batch, DeviceBatch taken)
        {
            left.Wait();
            foreach (var (own, (given, goal)) in entering.Zip(DeviceBatch.Of(batch, Device.Cpu).All.Zip(taken.All)))
                goal.CopyFrom(own.CopyFrom(given), wait: false);
        }

        public void Leave(Tensor values)
        {
            leaving.CopyFrom(values, wait: false);
            left.Record();
        }

        public float[] Read()
        {
            left.Wait();
            return leaving.ToArray<float>();
        }

        public void Dispose()
        {
            left.Wait();
            left.Dispose();
            leaving.Dispose();
            foreach (var tensor in entering) tensor.Dispose();
        }
    }
}
