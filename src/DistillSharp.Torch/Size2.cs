namespace DistillSharp.Torch;

/// <summary>A height and a width: kernel size, stride, padding, or the size of a feature map.</summary>
public readonly record struct Size2(long Height, long Width)
{
    /// <summary>A square.</summary>
    public static implicit operator Size2(long side) => new(side, side);

    public override string ToString() => $"{Height}x{Width}";
}
