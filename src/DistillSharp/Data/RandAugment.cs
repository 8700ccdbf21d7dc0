namespace DistillSharp.Data;

/// <summary>
/// Some operations drawn for each image, all of one magnitude (torchvision's RandAugment). Cubuk, Zoph, Shlens, Le: RandAugment,
/// NeurIPS 2020, arXiv 1909.13719.
/// </summary>
public sealed record RandAugment : AugmentationStep
{
    static readonly OperationSpace space = new(levels: 31, wide: false);

    public override string Name => "rand-augment";

    /// <summary>Operations of one image, one after the other.</summary>
    [Setting("operations of one image, one after the other", AtLeast = 1, AtMost = 14)]
    public int Operations { get; init; } = 2;

    /// <summary>How strong they are, 0 to 30.</summary>
    [Setting("how strong they are, 0 to 30", AtLeast = 0, AtMost = 30)]
    public int Magnitude { get; init; } = 9;

    /// <summary>Not counted: too many for an image to come up again as it was.</summary>
    public override int? Variants => null;

    public override int Numbers => 2 * Operations;

    public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
    {
        var drawn = new (ImageOperation, double)[Operations];
        for (var i = 0; i < Operations; i++)
        {
            var operation = OperationSpace.Choices[draw.Below(OperationSpace.Choices.Count, 2 * i)];
            drawn[i] = (operation, space.Magnitude(operation, Magnitude, draw.Below(2, 2 * i + 1) == 1, height, width));
        }
        ImageOperations.Apply(drawn, image, destination);
    }
}
