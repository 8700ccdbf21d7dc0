using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Training;

/// <summary>
/// The network that a student follows. It never changes, so while this lives its batch norms are folded into its convolutions,
/// and what it answered may be remembered. It computes only what the methods need.
/// </summary>
public sealed class FrozenTeacher : IDisposable
{
    readonly Classifier network;
    readonly NormFolding folding;
    readonly TeacherOutputCache? cache;

    /// <param name="network">The teacher with its weights; it stays the caller's and is moved to the device.</param>
    /// <param name="features">What is needed beside its logits.</param>
    /// <param name="image">Height and width of its images.</param>
    /// <param name="device">Where to compute.</param>
    public FrozenTeacher(Classifier network, Features features, Size2 image, Device device = default)
        : this(network, features, image, device, plan: null, _ => { }) { }

    /// <param name="network">The teacher with its weights.</param>
    /// <param name="features">What is needed beside its logits.</param>
    /// <param name="image">Height and width of its images.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="plan">What is remembered; null for nothing.</param>
    /// <param name="say">Told what is remembered, or why nothing is.</param>
    internal FrozenTeacher(Classifier network, Features features, Size2 image, Device device, TeacherCachePlan? plan, Action<string> say)
    {
        (this.network, Features) = (network, features);
        network.To(device);
        network.RequireGrad(false);
        Member = PairMember.Of(network, image);
        folding = network.FoldNorms(image);
        if (plan is null) return;
        var head = plan.Logits ? network.FindHead(image) : null;
        var more = head is null ? Features.Logits : Features.Pooled;
        cache = new(plan, images => network.Forward(images, Features | more), head, say);
    }

    /// <summary>What is computed beside the logits. Binding the methods may change it: one makes do with what this teacher has.</summary>
    public Features Features { get; internal set; }

    /// <summary>The teacher as methods see it before training.</summary>
    public PairMember Member { get; }

    /// <summary>Images of the last batch that the teacher did not look at, as its answer was remembered.</summary>
    public int SkippedImages => cache?.SkippedImages ?? 0;

    /// <summary>The share of the images since <see cref="BeginEpoch"/> whose answer was remembered, 0..1; null where nothing is remembered.</summary>
    public double? Remembered => cache is { Images: > 0 } ? (double)cache.Remembered / cache.Images : null;

    /// <summary>Begins to count <see cref="Remembered"/> anew.</summary>
    public void BeginEpoch() => cache?.BeginEpoch();

    /// <summary>What the teacher makes of a batch, without gradients, in the precision of the caller's region.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="images">The batch's images as the teacher takes them, on its device: [N, C, H, W].</param>
    public ClassifierOutput Answer(Batch batch, Tensor images)
    {
        using var off = Autograd.NoGrad();
        return cache is null ? network.Forward(images, Features) : cache.Answer(images, batch.Indices.Memory<long>(), batch.Variants);
    }

    /// <summary>Unfolds the teacher's norms and frees what was remembered.</summary>
    public void Dispose()
    {
        cache?.Dispose();
        folding.Dispose();
    }
}
