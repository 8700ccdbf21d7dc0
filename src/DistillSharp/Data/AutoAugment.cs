namespace DistillSharp.Data;

/// <summary>
/// One of a learned policy's pairs of operations drawn for each image, each of the two carried out with its own probability
/// (torchvision's AutoAugment). Cubuk, Zoph, Mané, Vasudevan, Le: AutoAugment, CVPR 2019, arXiv 1805.09501.
/// </summary>
public sealed record AutoAugment : AugmentationStep
{
    static readonly OperationSpace space = new(levels: 10, wide: false);

    public override string Name => "auto-augment";

    /// <summary>What the policy was learned on.</summary>
    [Setting("what the policy was learned on")]
    public AutoAugmentPolicy Policy { get; init; }

    /// <summary>Not counted: too many for an image to come up again as it was.</summary>
    public override int? Variants => null;

    public override int Numbers => 5;

    public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
    {
        var pairs = AutoAugmentPolicies.Of(Policy);
        var pair = pairs[draw.Below(pairs.Count, 0)];
        var drawn = new List<(ImageOperation, double)>(2);
        foreach (var (i, part) in pair.Index())
            if (draw.Between(0, 1, 1 + i) < part.Probability)
                drawn.Add((part.Operation, space.Magnitude(part.Operation, part.Level, draw.Below(2, 3 + i) == 0, height, width)));
        ImageOperations.Apply([.. drawn], image, destination);
    }
}
