namespace DistillSharp.Data;

/// <summary>
/// One operation drawn for each image, of a magnitude drawn for it (torchvision's TrivialAugmentWide). Müller, Hutter: TrivialAugment,
/// ICCV 2021, arXiv 2103.10158.
/// </summary>
public sealed record TrivialAugment : AugmentationStep
{
    static readonly OperationSpace space = new(levels: 31, wide: true);

    public override string Name => "trivial-augment";

    /// <summary>Not counted: too many for an image to come up again as it was.</summary>
    public override int? Variants => null;

    public override int Numbers => 3;

    public override void Apply(ImageView image, AugmentationDraw draw, int height, int width, Span<byte> destination)
    {
        var operation = OperationSpace.Choices[draw.Below(OperationSpace.Choices.Count, 0)];
        var magnitude = space.Magnitude(operation, draw.Below(space.Levels, 1), draw.Below(2, 2) == 1, height, width);
        ImageOperations.Apply(operation, magnitude, image, destination);
    }
}
