using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch.Distributed;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Training;

/// <summary>
/// What makes the step of each of P processes that of one with the whole batch. The loss of N images is the sum over the processes of
/// n/N times that of their n images, so gradients are summed over the processes. A method that compares images computes the loss of all
/// N everywhere; from it each process takes the gradient of its own images, and of the method's parameters the P-th part.
/// </summary>
sealed class SharedGradients : IDisposable
{
    readonly ProcessGroup processes;
    readonly GradientReducer reducer;
    readonly BatchNorm2d[] norms;
    readonly bool featuresMeet;

    public SharedGradients(ProcessGroup processes, Classifier student, Objective objective, Optimizer optimizer, TrainingOptions options)
    {
        (this.processes, featuresMeet) = (processes, options.GatherFeatures);
        var whole = objective.Methods.Where(method => featuresMeet && method.ComparesImages);
        var repeated = whole.SelectMany(method => method.Parameters()).ToHashSet();
        reducer = new(processes, optimizer.Parameters,
            [.. optimizer.Parameters.Select(parameter => repeated.Contains(parameter) ? 1.0 / processes.Size : 1)]);
        norms = options.SyncNorm ? [.. Norms(student, objective)] : [];
        foreach (var norm in norms) norm.SharedBy = processes;
    }

    /// <summary>The batch norms of networks and methods that are trained.</summary>
    public static IEnumerable<BatchNorm2d> Norms(params Module[] modules) =>
        modules.SelectMany(module => module.NamedModules()).Select(at => at.Module).OfType<BatchNorm2d>();

    /// <summary>Who shares a batch.</summary>
    public BatchPeers PeersOf(Batch batch) => new(processes, batch.WholeCount, featuresMeet);

    /// <summary>What a term contributes to this process's loss.</summary>
    public Tensor Share(LossTerm term, Batch batch) =>
        term.OfWholeBatch ? term.Value : term.Value * ((double)batch.Count / batch.WholeCount);

    /// <summary>The terms' values for the whole batch.</summary>
    public float[] Values(IReadOnlyList<LossTerm> terms, float[] own, Batch batch)
    {
        using var scope = TensorScope.Open();
        var shares = terms.Zip(own, (term, value) =>
            term.OfWholeBatch ? value / (double)processes.Size : value * ((double)batch.Count / batch.WholeCount));
        return Array.ConvertAll(processes.Sum(Tensor.From([.. shares]).To(processes.Device)).ToArray<double>(), value => (float)value);
    }

    /// <summary>Before the backward pass.</summary>
    public void Begin() => reducer.Begin();

    /// <summary>After the backward pass: the gradients become those of the whole batch.</summary>
    public void End() => reducer.End();

    public void Dispose()
    {
        foreach (var norm in norms) norm.SharedBy = null;
        reducer.Dispose();
    }
}
