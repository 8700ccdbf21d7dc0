namespace DistillSharp;

/// <summary>Marks a property of a method or an augmentation step that recipes can set.</summary>
/// <param name="description">What it does, in one line.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SettingAttribute(string description) : Attribute
{
    /// <summary>What the setting does.</summary>
    public string Description { get; } = description;

    /// <summary>Numbers must be greater than this.</summary>
    public double Above { get; init; } = double.NegativeInfinity;

    /// <summary>Numbers must be this or greater.</summary>
    public double AtLeast { get; init; } = double.NegativeInfinity;

    /// <summary>Numbers must be this or less.</summary>
    public double AtMost { get; init; } = double.PositiveInfinity;

    /// <summary>Numbers must be less than this.</summary>
    public double Below { get; init; } = double.PositiveInfinity;
}
