namespace DistillSharp.Models;

/// <summary>
/// A network that was trained on images of another normalization than those it is given: they are changed into its own first. It
/// shows logits alone.
/// </summary>
sealed class Renormalized : Classifier
{
    readonly Classifier network;
    readonly Tensor scale, shift;

    /// <param name="network">The network, which becomes a part and is disposed of with it.</param>
    /// <param name="givenMean">The mean of each channel by which images come normalized, of pixels in 0..1.</param>
    /// <param name="givenStd">The standard deviation of each channel likewise.</param>
    /// <param name="mean">The mean of each channel that the network was trained with.</param>
    /// <param name="std">The standard deviation of each channel likewise.</param>
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
