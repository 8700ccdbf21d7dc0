namespace DistillSharp.Data;

/// <summary>
/// CutMix. Yun, Han, Oh, Chun, Choe, Yoo: CutMix, ICCV 2019, arXiv 1905.04899, equations 1 and 2: a box of the other image, of the share
/// 1 - lambda of the whole and its sides in the image's ratio, lies on the image with its middle anywhere, cut off at the edges; the
/// labels are mixed by what is then seen of each. lambda ~ Beta(alpha, alpha), for each image by itself.
/// </summary>
public sealed record CutMix : MixingStep
{
    public override string Name => "cutmix";

    /// <summary>alpha.</summary>
    [Setting("alpha of the Beta distribution of the shares: the larger, the more even", Above = 0)]
    public double Alpha { get; init; } = 1;

    public override double Mix(Span<float> image, ReadOnlySpan<float> other, int height, int width, KeyedRandom random)
    {
        var lambda = SymmetricBeta.Draw(Alpha, random.Stream(0));
        var box = Box(lambda, random.Below(height, 1), random.Below(width, 2), height, width);
        var (row, channels) = (width * (image.Length / (height * width)), image.Length / (height * width));
        for (var y = box.Top; y < box.Top + box.Height; y++)
        {
            var (from, length) = (y * row + box.Left * channels, box.Width * channels);
            other.Slice(from, length).CopyTo(image.Slice(from, length));
        }
        return 1 - (double)box.Height * box.Width / ((double)height * width);
    }

    /// <summary>What of the image is covered, for a share and the place of the box's middle.</summary>
    internal static ImageArea Box(double lambda, int middleY, int middleX, int height, int width)
    {
        var side = Math.Sqrt(1 - lambda);
        var (h, w) = ((int)(height * side), (int)(width * side));
        var (top, bottom) = (Math.Clamp(middleY - h / 2, 0, height), Math.Clamp(middleY + h / 2, 0, height));
        var (left, right) = (Math.Clamp(middleX - w / 2, 0, width), Math.Clamp(middleX + w / 2, 0, width));
        return new(top, left, bottom - top, right - left);
    }
}
