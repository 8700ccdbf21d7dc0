namespace DistillSharp.Onnx.Quantization;

/// <summary>How the range of an activation's int8 values is found.</summary>
public enum Calibration
{
    /// <summary>
    /// Those that the network was trained with (<see cref="Int8Training"/>); for any other network whichever of the others keeps the logits
    /// of the calibration images nearest to float32's.
    /// </summary>
    Auto,
    /// <summary>From the least value that was seen to the largest.</summary>
    MinMax,
    /// <summary>So that a share of the values that were seen, <see cref="Int8Options.Percentile"/>, lies within.</summary>
    Percentile,
}

/// <summary>How a network becomes int8.</summary>
public sealed record Int8Options
{
    /// <summary>The name that stands for the first layer in <see cref="KeepFloat"/>.</summary>
    public const string First = "first";

    /// <summary>The name that stands for the last layer in <see cref="KeepFloat"/>.</summary>
    public const string Last = "last";

    /// <summary>How many training images the ranges are found on, as many of each class as it allows.</summary>
    public int Images { get; init; } = 512;

    /// <summary>How ranges are found.</summary>
    public Calibration Calibration { get; init; } = Calibration.Auto;

    /// <summary>The share of values within the range in percent, for <see cref="Calibration.Percentile"/>.</summary>
    public double Percentile { get; init; } = 99.99;

    /// <summary>Layers that stay in float32: <see cref="First"/>, <see cref="Last"/>, or a layer's name as the weights have it.</summary>
    public IReadOnlyList<string> KeepFloat { get; init; } = [];

    /// <summary>A loss of more than so many points of top-1 accuracy is traced to layers.</summary>
    public double LargestLoss { get; init; } = 1;

    /// <summary>On how many test images layers are tried one by one.</summary>
    public int SampleImages { get; init; } = 1000;

    internal void Validate()
    {
        if (Images < 1) throw new UsageException($"int8 cannot be calibrated on {Images} images; give 1 or more");
        if (!(Percentile is > 50 and <= 100))
            throw new UsageException($"a percentile of {Percentile} is no range; give more than 50 and at most 100");
        if (SampleImages < 1) throw new UsageException($"layers cannot be tried on {SampleImages} images; give 1 or more");
    }
}
