using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;

namespace DistillSharp.Training;

/// <summary>What of a teacher's answers, in so many variants of so many images, is remembered in a run, and how many bytes of it.</summary>
sealed record TeacherCachePlan(
    bool Pooled, bool Logits, int Classes, int Images, int Variants, int BatchSize, int Epochs, long Bytes, Device Device)
{
    /// <summary>Unless told otherwise the cache takes at most this, and at most a quarter of what the process may use.</summary>
    public const long DefaultBytes = 2_000_000_000;

    /// <summary>Answers that can be met again: those of the last epoch are not.</summary>
    public long MaxAnswers => (long)Images * Math.Min(Variants, Epochs - 1);

    /// <summary>The plan for a run; null where nothing can be remembered.</summary>
    /// <param name="objective">The methods, bound.</param>
    /// <param name="data">The data set.</param>
    /// <param name="options">How the student is trained.</param>
    /// <param name="why">Why nothing can be remembered; null also where that was not to be expected anyway.</param>
    public static TeacherCachePlan? For(Objective objective, Dataset data, TrainingOptions options, out string? why)
    {
        why = objective switch
        {
            { TeacherFeatures: null } => "no method needs a teacher",
            _ when (objective.TeacherFeatures & ~Features.Pooled) != 0 =>
                "a method needs more of the teacher than pooled features and logits",
            _ when options.Augmentation.VariantCount is null => "the augmentation has too many outcomes for an image to come up as it was",
            _ when options.Epochs < 2 => "in a single epoch no image comes up twice",
            _ when options.TeacherMemory is null && options.Device.Type != DeviceType.Cpu =>
                "a GPU's memory is used for it only where a size is given",
            _ => null,
        };
        if (options.TeacherMemory == 0 || why is not null) return null;
        return new(
            objective.TeacherFeatures!.Value.HasFlag(Features.Pooled),
            objective.UsesTeacherLogits || objective.TeacherFeatures == Features.Logits, data.Classes, data.Train.Count,
            options.Augmentation.VariantCount!.Value, options.PartSize, options.Epochs,
            options.TeacherMemory ?? Math.Min(DefaultBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4), options.Device);
    }
}
