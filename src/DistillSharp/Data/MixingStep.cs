namespace DistillSharp.Data;

/// <summary>
/// A step that mixes another training image into one, and with it the other's label. It works on finished images, after all other
/// steps and the normalization; the other image is drawn from the whole set and prepared as it is shown in that epoch. Where several are
/// listed, one of them is drawn for each image.
/// </summary>
public abstract record MixingStep : AugmentationStep
{
    /// <summary>Outcomes have no end.</summary>
    public sealed override int? Variants => null;

    /// <summary>How often an image is mixed.</summary>
    [Setting("how often an image is mixed", AtLeast = 0, AtMost = 1)]
    public double Probability { get; init; } = 1;

    /// <summary>By itself an image stays as it is.</summary>
    public sealed override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination) =>
        image.Pixels.CopyTo(destination);

    /// <summary>Mixes another image in. May be called from several threads at once.</summary>
    /// <param name="image">The image, [H, W, C], normalized; it becomes the mixed one.</param>
    /// <param name="other">The other, of the same size.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="random">Numbers of this image's own; the first that may be used is number 0.</param>
    /// <returns>The share of the first image's label, 0..1; the rest is the other's.</returns>
    public abstract double Mix(Span<float> image, ReadOnlySpan<float> other, int height, int width, KeyedRandom random);
}

/// <summary>What is mixed into an image.</summary>
/// <param name="Step">How.</param>
/// <param name="Other">The other image's position in its set.</param>
/// <param name="Random">The numbers that are the step's.</param>
readonly record struct ImageMix(MixingStep Step, int Other, KeyedRandom Random);
