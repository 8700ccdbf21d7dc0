using DistillSharp.Models;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Methods;

/// <summary>
/// The processes that share a batch, as a method sees them. Each has a stretch of the batch's images; the stretches follow one another in
/// the order of the ranks. All processes must ask for the same, in the same order.
/// </summary>
public sealed class BatchPeers
{
    readonly ProcessGroup? group;

    BatchPeers() { }

    /// <param name="group">The processes.</param>
    /// <param name="images">Images of the whole batch.</param>
    /// <param name="featuresMeet">Whether a method that compares images compares those of all processes.</param>
    public BatchPeers(ProcessGroup group, int images, bool featuresMeet = true)
    {
        (Images, FeaturesMeet) = (images, featuresMeet);
        if (group.Size > 1) this.group = group;
    }

    /// <summary>No other process: the batch is whole.</summary>
    public static BatchPeers None { get; } = new();

    /// <summary>Whether this process has the whole batch.</summary>
    public bool Alone => group is null;

    /// <summary>
    /// Whether a method that compares images is to compare those of all processes; else each process those of its share. What a method
    /// remembers of images is of all processes either way.
    /// </summary>
    public bool FeaturesMeet { get; }

    /// <summary>Images of the whole batch; not known to a process that is alone.</summary>
    public long Images { get; }

    /// <summary>Where in the whole batch the images of this process lie.</summary>
    internal RowRange Own(long count) => group is null ? new(0, count) : Share(group.Rank);

    /// <summary>
    /// The rows of all processes, [n, ...] to [N, ...]; itself where there is no other process. The own rows keep their link to the
    /// autograd graph; those of the others are constants.
    /// </summary>
    public Tensor Gather(Tensor rows)
    {
        if (group is null) return rows;
        using var scope = TensorScope.Open();
        // All send as many rows as the longest share has.
        var most = Enumerable.Range(0, group.Size).Max(rank => Share(rank).Count);
        var sent = rows.Detach();
        if (sent.Size(0) < most) sent = Tensor.Cat([sent, sent.Narrow(0, 0, 1).Expand([most - sent.Size(0), .. rows.Shape.Skip(1)])]);
        var gathered = group.Gather(sent.To(group.Device));
        return scope.Keep(Tensor.Cat([.. Enumerable.Range(0, group.Size).Select(rank =>
            rank == group.Rank ? rows : gathered.Select(0, rank).Narrow(0, 0, Share(rank).Count))]));
    }

    /// <summary>The sum over all processes, without gradients; itself where there is no other process.</summary>
    public Tensor Sum(Tensor values)
    {
        if (group is null) return values;
        using var off = Autograd.NoGrad();
        return group.Sum(values.Clone());
    }

    internal ClassifierOutput Gather(ClassifierOutput output, Features wanted) => new(
        Gather(output.Logits), wanted.HasFlag(Features.Pooled) ? Gather(output.Pooled!) : null,
        wanted.HasFlag(Features.Stages) ? new GatheredStages(this, output.Stages!) : null,
        wanted.HasFlag(Features.PreActivations) ? new GatheredStages(this, output.PreActivations!) : null);

    RowRange Share(int rank)
    {
        var first = Images * rank / group!.Size;
        return new(first, Images * (rank + 1) / group.Size - first);
    }

    /// <summary>
    /// Stages of the whole batch. They are large, and a method may look at one of them only: each is gathered when it is asked for.
    /// </summary>
    sealed class GatheredStages(BatchPeers peers, IReadOnlyList<Tensor> own) : IReadOnlyList<Tensor>
    {
        readonly Tensor?[] gathered = new Tensor?[own.Count];

        public int Count => own.Count;

        public Tensor this[int stage] =>
            gathered[stage] is { IsDisposed: false } there ? there : gathered[stage] = peers.Gather(own[stage]);

        public IEnumerator<Tensor> GetEnumerator() => Enumerable.Range(0, Count).Select(stage => this[stage]).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>A stretch of rows.</summary>
readonly record struct RowRange(long First, long Count)
{
    /// <summary>These rows of [N, ...]; itself where they are all.</summary>
    public Tensor Of(Tensor rows) => Count == rows.Size(0) ? rows : rows.Narrow(0, First, Count);
}
