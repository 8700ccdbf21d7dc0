namespace DistillSharp.Data;

/// <summary>
/// How strongly an operation works at each of some levels, as torchvision's <c>_augmentation_space</c> has it, in float32 as there.
/// </summary>
/// <param name="levels">How many levels there are.</param>
/// <param name="wide">Whether they reach as far as TrivialAugment's wide ones.</param>
sealed class OperationSpace(int levels, bool wide)
{
    /// <summary>What RandAugment and TrivialAugment choose from.</summary>
    public static IReadOnlyList<ImageOperation> Choices { get; } =
        [.. Enum.GetValues<ImageOperation>().Where(op => op != ImageOperation.Invert)];

    public int Levels => levels;

    /// <summary>An operation's magnitude.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="level">0..<see cref="Levels"/>-1.</param>
    /// <param name="negative">Whether it is to work the other way, where it has two.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    public double Magnitude(ImageOperation operation, int level, bool negative, int height, int width)
    {
        var size = operation switch
        {
            ImageOperation.ShearX or ImageOperation.ShearY => Line(0, wide ? .99f : .3f, level),
            ImageOperation.TranslateX => Line(0, wide ? 32 : (float)(150.0 / 331.0 * width), level),
            ImageOperation.TranslateY => Line(0, wide ? 32 : (float)(150.0 / 331.0 * height), level),
            ImageOperation.Rotate => Line(0, wide ? 135 : 30, level),
            ImageOperation.Brightness or ImageOperation.Color or ImageOperation.Contrast or ImageOperation.Sharpness =>
                Line(0, wide ? .99f : .9f, level),
            ImageOperation.Posterize => 8 - MathF.Round(level / (float)((levels - 1) / (wide ? 6.0 : 4.0))),
            ImageOperation.Solarize => Line(255, 0, level),
            _ => 0f,
        };
        return negative && IsSigned(operation) ? -size : size;
    }

    static bool IsSigned(ImageOperation operation) => operation is >= ImageOperation.ShearX and <= ImageOperation.Sharpness;

    // torch.linspace: from both ends to the middle.
    float Line(float start, float end, int level)
    {
        var step = (end - start) / (levels - 1);
        return level < levels / 2 ? start + step * level : end - step * (levels - level - 1);
    }
}
