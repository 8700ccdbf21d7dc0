namespace DistillSharp.Models;

/// <summary>One network of inverted residual blocks.</summary>
/// <param name="Family">How its parts are built and named.</param>
/// <param name="Stem">Channels of the stem.</param>
/// <param name="Blocks">Its blocks.</param>
/// <param name="Last">Channels of the last convolution.</param>
/// <param name="Hidden">Width of a linear layer before the classifier's; null for none.</param>
/// <param name="Activation">Behind the stem, the last convolution and the hidden layer.</param>
/// <param name="Grouped">Whether blocks of one width lie under one name.</param>
/// <param name="Classifier">The classifier's name.</param>
/// <param name="DrawClassifier">Draws its weights.</param>
/// <param name="TimmEpsilons">What timm's norms add to the variance, and what these do; null where it is the same.</param>
sealed record MobileNetworkForm(
    MobileFamily Family, long Stem, MobileBlockForm[] Blocks, long Last, long? Hidden, Func<Tensor, Tensor> Activation, bool Grouped,
    string Classifier, Action<Linear> DrawClassifier, (double, double)? TimmEpsilons = null);

/// <summary>The tables of MobileNetV2, MobileNetV3 and EfficientNet.</summary>
static class MobileNetworkForms
{
    const double Epsilon = 1e-3;

    /// <summary>Sandler et al., CVPR 2018, table 2.</summary>
    public static readonly MobileNetworkForm V2 = new(
        new(channels => new(channels), Functional.Relu, Functional.Relu, Nested: false), 32,
        Expanding(32, Relu6, squeezed: false,
            (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 3, 32, 3, 2), (6, 3, 64, 4, 2), (6, 3, 96, 3, 1), (6, 3, 160, 3, 2), (6, 3, 320, 1, 1)),
        1280, null, Relu6, Grouped: false, "classifier.1", InitialWeights.SmallClassifier);

    /// <summary>Howard et al., Searching for MobileNetV3, ICCV 2019, table 2.</summary>
    public static readonly MobileNetworkForm V3Small = V3(
        1024,
        new(3, 16, 16, 2, 8, Functional.Relu), new(3, 72, 24, 2, null, Functional.Relu), new(3, 88, 24, 1, null, Functional.Relu),
        Swish(5, 96, 40, 2), Swish(5, 240, 40, 1), Swish(5, 240, 40, 1), Swish(5, 120, 48, 1), Swish(5, 144, 48, 1),
        Swish(5, 288, 96, 2), Swish(5, 576, 96, 1), Swish(5, 576, 96, 1));

    /// <summary>The same, table 1.</summary>
    public static readonly MobileNetworkForm V3Large = V3(
        1280,
        new(3, 16, 16, 1, null, Functional.Relu), new(3, 64, 24, 2, null, Functional.Relu), new(3, 72, 24, 1, null, Functional.Relu),
        new(5, 72, 40, 2, 24, Functional.Relu), new(5, 120, 40, 1, 32, Functional.Relu), new(5, 120, 40, 1, 32, Functional.Relu),
        Swish(3, 240, 80, 2) with { Squeezed = null }, Swish(3, 200, 80, 1) with { Squeezed = null },
        Swish(3, 184, 80, 1) with { Squeezed = null }, Swish(3, 184, 80, 1) with { Squeezed = null },
        Swish(3, 480, 112, 1), Swish(3, 672, 112, 1), Swish(5, 672, 160, 2), Swish(5, 960, 160, 1), Swish(5, 960, 160, 1));

    /// <summary>Tan and Le, EfficientNet, ICML 2019, table 1.</summary>
    public static readonly MobileNetworkForm EfficientNetB0 = new(
        new(channels => new(channels), Functional.Silu, x => x.Sigmoid(), Nested: true), 32,
        Expanding(32, Functional.Silu, squeezed: true,
            (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2),
            (6, 5, 112, 3, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1)),
        1280, null, Functional.Silu, Grouped: true, "classifier.1", InitialWeights.UniformClassifier);

    static MobileNetworkForm V3(long hidden, params MobileBlockForm[] blocks) => new(
        new(channels => new(channels, Epsilon, momentum: .01), Functional.Relu, Functional.HardSigmoid, Nested: true), 16,
        blocks, 6 * blocks[^1].Outputs, hidden, Functional.HardSwish, Grouped: false, "classifier.3", InitialWeights.SmallClassifier,
        TimmEpsilons: (1e-5, Epsilon));

    // With hard swish, and a squeeze to a quarter.
    static MobileBlockForm Swish(long kernel, long expanded, long outputs, long stride) =>
        new(kernel, expanded, outputs, stride, Eighths(expanded / 4), Functional.HardSwish);

    // The nearest multiple of 8, at least 8, and not less than nine tenths.
    static long Eighths(long channels)
    {
        var nearest = Math.Max(8, (channels + 4) / 8 * 8);
        return nearest * 10 < channels * 9 ? nearest + 8 : nearest;
    }

    // Rows of a table: expansion, kernel, channels, repetitions, stride of the first. The squeeze is to a quarter of what comes in.
    static MobileBlockForm[] Expanding(
        long inputs, Func<Tensor, Tensor> activation, bool squeezed,
        params (long Expansion, long Kernel, long Outputs, int Count, long Stride)[] rows)
    {
        var blocks = new List<MobileBlockForm>();
        foreach (var row in rows)
            for (var i = 0; i < row.Count; i++, inputs = row.Outputs)
                blocks.Add(new(row.Kernel, inputs * row.Expansion, row.Outputs, i == 0 ? row.Stride : 1, squeezed ? inputs / 4 : null,
                    activation));
        return [.. blocks];
    }

    static Tensor Relu6(Tensor x) => x.Clamp(0, 6);
}
