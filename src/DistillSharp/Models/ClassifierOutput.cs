namespace DistillSharp.Models;

/// <summary>What can be asked of a network's forward pass beside its logits.</summary>
[Flags]
public enum Features
{
    /// <summary>The logits alone, which always come.</summary>
    Logits = 0,
    /// <summary>The pooled features before the classifier.</summary>
    Pooled = 1,
    /// <summary>The activated output of the stem and of every stage.</summary>
    Stages = 2,
    /// <summary>The same before their last ReLU.</summary>
    PreActivations = 4,
}

/// <summary>The result of a network's forward pass. What was not asked for is null.</summary>
/// <param name="Logits">[N, classes].</param>
/// <param name="Pooled">[N, width]: the features before the classifier.</param>
/// <param name="Stages">[N, C, H, W] each: the stem's output, then each stage's.</param>
/// <param name="PreActivations">[N, C, H, W] each: the stages before their last ReLU; empty where a network has none.</param>
public sealed record ClassifierOutput(
    Tensor Logits, Tensor? Pooled = null, IReadOnlyList<Tensor>? Stages = null, IReadOnlyList<Tensor>? PreActivations = null)
{
    /// <summary>All tensors of this output.</summary>
    public IEnumerable<Tensor> Tensors =>
        new[] { Logits, Pooled }.OfType<Tensor>().Concat(Stages ?? []).Concat(PreActivations ?? []).Distinct();
}

/// <summary>Gathers the features that a forward pass was asked for, as it comes by them.</summary>
public sealed class FeatureTap
{
    readonly Features wanted;
    readonly Tensor images;
    readonly List<Tensor> stages = [], preActivations = [];
    Tensor? pooled;

    internal FeatureTap(Features wanted, Tensor images) => (this.wanted, this.images) = (wanted, images);

    /// <summary>Whether pre-activations are wanted: else a network may fuse the ReLU away.</summary>
    public bool WantsPreActivations => wanted.HasFlag(Features.PreActivations);

    /// <summary>Hands over the output of the stem or of a stage.</summary>
    /// <param name="activated">[N, C, H, W].</param>
    /// <param name="preActivation">What it was before its ReLU; null where there is no such thing.</param>
    /// <param name="norm">
    /// The last batch norm before the pre-activation: its scale and shift tell how the pre-activations are distributed, and OFD takes a
    /// teacher's margins from them. Null where none stands there or none covers all channels.
    /// </param>
    public void Stage(Tensor activated, Tensor? preActivation = null, BatchNorm2d? norm = null)
    {
        if (wanted.HasFlag(Features.Stages)) stages.Add(activated);
        if (!WantsPreActivations || preActivation is null) return;
        preActivations.Add(preActivation);
        Norms.Add(norm);
    }

    /// <summary>Hands over the pooled features, [N, width].</summary>
    /// <returns>The same, for the classifier.</returns>
    public Tensor Pooled(Tensor features)
    {
        if (wanted.HasFlag(Features.Pooled)) pooled = features;
        return features;
    }

    /// <summary>Frees a tensor that the network is done with, unless it was handed over or is the images themselves.</summary>
    public void Release(Tensor tensor)
    {
        if (tensor != images && tensor != pooled && !stages.Contains(tensor) && !preActivations.Contains(tensor)) tensor.Dispose();
    }

    /// <summary>Goes on from one tensor to the next, which was made of it: frees the first as <see cref="Release"/> does.</summary>
    /// <returns>The next.</returns>
    public Tensor Step(Tensor from, Tensor next)
    {
        if (next != from) Release(from);
        return next;
    }

    internal List<BatchNorm2d?> Norms { get; } = [];

    internal ClassifierOutput Output(Tensor logits) =>
        new(logits, pooled, wanted.HasFlag(Features.Stages) ? stages : null, WantsPreActivations ? preActivations : null);
}
