namespace DistillSharp.Models;

/// <summary>
/// A network that was trained on images of another normalization than those it is given: they are changed into its own first. It
/// shows logits alone.
/// </summary>
sealed class Renormalized : Classifier
{
    readonly Classifier network;
    readonly Tensor scale, shift;

    /// <summary>Takes over a network that was trained with a mean and deviation of each channel; images come by the given ones.</summary>
    /// <exception cref="UsageException">They are of different numbers of channels.</exception>
    public Renormalized(
        Classifier network, IReadOnlyList<float> givenMean, IReadOnlyList<float> givenStd, IReadOnlyList<float> mean,
        IReadOnlyList<float> std) : base(network.Name, network.Classes, network.Input)
    {
        if (mean.Count != givenMean.Count || std.Count != givenMean.Count)
            throw new UsageException($"the normalization of {network.Name} is of {mean.Count} means and {std.Count} deviations, but the "
                + $"images have {givenMean.Count} channels");
        this.network = Child("network", network);
        scale = Buffer("scale", OfChannels([.. std.Select((own, c) => givenStd[c] / own)]));
        shift = Buffer("shift", OfChannels([.. std.Select((own, c) => (givenMean[c] - mean[c]) / own)]));
    }

    protected override Tensor Compute(Tensor images, FeatureTap tap) =>
        network.Forward((images * scale + shift).Contiguous(MemoryFormat.ChannelsLast)).Logits;

    static Tensor OfChannels(float[] values) => Tensor.From(values, 1, values.Length, 1, 1);
}
