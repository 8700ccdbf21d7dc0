namespace DistillSharp.Data;

/// <summary>
/// What a teacher was trained on otherwise than the student is: images of another size, normalized by other values. Its images
/// are made from the same crops as the student's.
/// </summary>
public sealed record TeacherInput
{
    /// <summary>Mean of each channel, in 0..1; null for the data set's.</summary>
    public IReadOnlyList<float>? Mean { get; init; }

    /// <summary>Standard deviation of each channel; null for the data set's.</summary>
    public IReadOnlyList<float>? Std { get; init; }

    /// <summary>Height and width of its images; null for the student's.</summary>
    public int? Size { get; init; }

    /// <summary>The data set as the teacher is to see it, without augmentation: to measure it, or to see which images it takes.</summary>
    /// <param name="data">The data set as the student sees it.</param>
    public Dataset Of(Dataset data) => data with
    {
        Train = Size is { } size ? data.Train.AtSize(size) : data.Train,
        Test = Size is { } other ? data.Test.AtSize(other) : data.Test,
        Mean = Mean ?? data.Mean,
        Std = Std ?? data.Std,
    };
}
