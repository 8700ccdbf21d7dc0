namespace DistillSharp.Data;

/// <summary>
/// Mixup. Zhang, Cisse, Dauphin, Lopez-Paz: mixup: Beyond Empirical Risk Minimization, ICLR 2018, arXiv 1710.09412:
/// <code>
/// x = lambda x_i + (1 - lambda) x_j,   y = lambda y_i + (1 - lambda) y_j,   lambda ~ Beta(alpha, alpha)
/// </code>
/// for each image by itself.
/// </summary>
public sealed record Mixup : MixingStep
{
    public override string Name => "mixup";

    /// <summary>alpha.</summary>
    [Setting("alpha of the Beta distribution of the shares: the larger, the more even", Above = 0)]
    public double Alpha { get; init; } = .2;

    public override double Mix(Span<float> image, ReadOnlySpan<float> other, int height, int width, KeyedRandom random)
    {
        var lambda = SymmetricBeta.Draw(Alpha, random);
        for (var (i, share, rest) = (0, (float)lambda, (float)(1 - lambda)); i < image.Length; i++)
            image[i] = share * image[i] + rest * other[i];
        return lambda;
    }
}
