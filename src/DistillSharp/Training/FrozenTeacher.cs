using DistillSharp.Data;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Training;

/// <summary>
/// A teacher that never changes: while this lives its batch norms are folded into its convolutions, and what it answered may be
/// remembered.
/// </summary>
public sealed class FrozenTeacher : Teacher
{
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
        : base(network, features, image, device)
    {
        folding = network.FoldNorms(image);
        if (plan is null) return;
        var head = plan.Logits ? network.FindHead(image) : null;
        var more = head is null ? Features.Logits : Features.Pooled;
        cache = new(plan, images => network.Forward(images, Features | more), head, say);
    }

    /// <inheritdoc/>
    public override int SkippedImages => cache?.SkippedImages ?? 0;

    /// <inheritdoc/>
    public override double? Remembered => cache is { Images: > 0 } ? (double)cache.Remembered / cache.Images : null;

    /// <inheritdoc/>
    public override void BeginEpoch() => cache?.BeginEpoch();

    /// <inheritdoc/>
    public override ClassifierOutput Answer(Batch batch, Tensor images)
    {
        if (cache is null) return base.Answer(batch, images);
        using var off = Autograd.NoGrad();
        return cache.Answer(images, batch.Indices.Memory<long>(), batch.Variants);
    }

    /// <summary>Unfolds the teacher's norms and frees what was remembered.</summary>
    public override void Dispose()
    {
        cache?.Dispose();
        folding.Dispose();
    }
}
