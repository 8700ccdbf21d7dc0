using DistillSharp.Data;

namespace DistillSharp.Training;

/// <summary>What one process found out about the images since it was last asked: those left out, and one that stops it.</summary>
sealed record DamageReport(IReadOnlyList<SkippedImage> Skipped, ImageProblem? Fatal)
{
    /// <summary>Whether there is nothing to tell.</summary>
    public bool IsEmpty => Skipped.Count == 0 && Fatal is null;
}

/// <summary>An image that was left out.</summary>
sealed record SkippedImage(bool IsTest, ImageProblem Image);

/// <summary>Tells of the images that turned out damaged: of each once, whenever it is met again and whichever process met it.</summary>
sealed class DamageReports(Dataset data)
{
    readonly HashSet<(bool IsTest, string File)> told = [];
    readonly int[] taken = new int[2];

    /// <summary>What this process left out since the last call.</summary>
    public DamageReport Take(DamagedImageException? fatal)
    {
        List<SkippedImage> skipped = [];
        foreach (var (part, images) in new[] { data.Train, data.Test }.Index())
            for (var all = images.Skipped; taken[part] < all.Count; taken[part]++) skipped.Add(new(part == 1, all[taken[part]]));
        return new(skipped, fatal is null ? null : new(fatal.File, fatal.Why));
    }

    /// <summary>Tells of what was left out.</summary>
    public void Tell(IEnumerable<SkippedImage> skipped, TrainingObserver observer)
    {
        foreach (var (isTest, image) in skipped)
        {
            if (!told.Add((isTest, image.File))) continue;
            var instead = isTest ? "the accuracy is that of the others" : "another of its class is seen instead";
            observer.Warned($"'{image.File}' {image.Why}; it is left out, and {instead} ({told.Count} so far)");
            observer.Skipped(image);
        }
    }
}
