using DistillSharp.Data;

namespace DistillSharp.Interop;

/// <summary>Classifies image files by a network on libtorch. It owns the network.</summary>
public sealed class Predictor : ImagePredictor
{
    readonly LoadedNetwork loaded;
    readonly Normalization normalization;

    /// <param name="loaded">The network; its normalization must be known.</param>
    /// <exception cref="UsageException">The normalization is unknown.</exception>
    public Predictor(LoadedNetwork loaded)
    {
        this.loaded = loaded;
        normalization = loaded.Normalization
            ?? throw new UsageException("the normalization of the images is unknown: give the data set, or the channels' mean and std");
    }

    protected override IReadOnlyList<string>? ClassNames => loaded.ClassNames;

    protected override IEnumerable<float[]> Logits(IReadOnlyList<DecodedImage> images)
    {
        var (height, width) = ((int)loaded.Image.Height, (int)loaded.Image.Width);
        var size = height * width * 3;
        var values = new float[images.Count * size];
        for (var i = 0; i < images.Count; i++) normalization.Apply(Prepared(images[i], height, width), values.AsSpan(i * size, size));
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var batch = Tensor.From(values, images.Count, height, width, 3).Permute(0, 3, 1, 2);
        return loaded.Network.Forward(batch.To(loaded.Network.Device)).Logits.ToArray<float>().Chunk(loaded.Network.Classes);
    }

    byte[] Prepared(DecodedImage image, int height, int width)
    {
        var view = new ImageView(image.Pixels, image.Height, image.Width, 3);
        return loaded.Set?.Prepare(view, height, width) ?? ImageScaling.FitCenter(view, Math.Max(height, width), height, width);
    }

    public override void Dispose() => loaded.Dispose();
}
