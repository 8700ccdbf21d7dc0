using DistillSharp.Data;
using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>
/// A teacher that never changes: while this lives its batch norms are folded into its convolutions, and what it answered may be
/// remembered.
/// </summary>
public sealed class FrozenTeacher : Teacher
{
    readonly NormFolding folding;
    readonly TeacherOutputCache? cache;
    readonly Lazy<TeacherAnswers?>? answers;
    long asked, found;
    int skipped;

    /// <param name="network">The teacher with its weights; it stays the caller's and is moved to the device.</param>
    /// <param name="features">What is needed beside its logits.</param>
    /// <param name="image">Height and width of its images.</param>
    /// <param name="device">Where to compute.</param>
    public FrozenTeacher(Classifier network, Features features, Size2 image, Device device = default)
        : this(network, features, image, device, plan: null, answers: null, _ => { }) { }

    /// <summary>Remembers what is planned, and what runs share of its answers; tells what is remembered, or why nothing is.</summary>
    internal FrozenTeacher(Classifier network, Features features, Size2 image, Device device, TeacherCachePlan? plan,
        Func<Classifier, TeacherAnswers?>? answers, Action<string> say)
        : base(network, features, image, device)
    {
        if (answers is not null) this.answers = new(() => answers(network));
        folding = network.FoldNorms(image);
        // What is on disk is in its place, and needs no memory.
        if (plan is null || answers is not null) return;
        var head = plan.Logits ? network.FindHead(image) : null;
        var more = head is null ? Features.Logits : Features.Pooled;
        cache = new(plan, images => network.Forward(images, Features | more), head, say);
    }

    // What is open; asking opens nothing.
    TeacherAnswers? Shared => answers is { IsValueCreated: true } ? answers.Value : null;

    internal override string? Summary => Shared?.Summary;

    internal override bool Remembers => cache is not null || answers is not null;

    public override int SkippedImages => cache?.SkippedImages ?? skipped;

    public override double? Remembered => Shared is { } shared && shared.Asked > asked
        ? (double)(shared.Found - found) / (shared.Asked - asked)
        : cache is { Images: > 0 } ? (double)cache.Remembered / cache.Images : null;

    public override void BeginEpoch()
    {
        cache?.BeginEpoch();
        (asked, found) = (Shared?.Asked ?? 0, Shared?.Found ?? 0);
    }

    public override ClassifierOutput Answer(Batch batch, Tensor images)
    {
        if ((Features & ~Features.Pooled) == 0 && answers?.Value is { } shared)
        {
            var before = shared.Found;
            var answer = shared.Answer(images, () => Look(images, Features.Pooled));
            skipped = shared.Found > before ? batch.Count : 0;
            return answer;
        }
        if (cache is null) return base.Answer(batch, images);
        using var off = Autograd.NoGrad();
        return cache.Answer(images, batch.Indices.Memory<long>(), batch.Variants);
    }

    /// <summary>Unfolds the teacher's norms and frees what was remembered.</summary>
    public override void Dispose()
    {
        cache?.Dispose();
        Shared?.Dispose();
        folding.Dispose();
    }
}
