using DistillSharp.Training;

namespace DistillSharp.Cli;

/// <summary>Shows where the time of training steps went.</summary>
static class StepProfileTable
{
    static readonly (StepPhase Phase, string Name)[] phases =
    [
        (StepPhase.Data, "data"), (StepPhase.Teacher, "teacher"), (StepPhase.StudentForward, "student forward"), (StepPhase.Loss, "loss"),
        (StepPhase.Backward, "backward"), (StepPhase.Optimizer, "optimizer"), (StepPhase.Other, "other"),
    ];

    /// <summary>Prints a table, and below it the limit that the convolutions set.</summary>
    public static void Print(StepProfile profile, ConvolutionLimit? limit, Terminal terminal)
    {
        if (profile.Steps == 0 || limit is null)
        {
            terminal.Out.WriteLine($"no profile: the first {profile.WarmupSteps} steps are not counted, and there were no more");
            return;
        }
        var table = new FittingTable(new("part of a step"), new("ms", IsNumber: true), new("share", IsNumber: true));
        foreach (var (phase, name) in phases) Row(name, profile.Seconds(phase));
        Row("whole step", profile.StepSeconds);
        table.Write(terminal);
        var skipped = profile.SkippedImages == 0 ? ""
            : $"; the teacher skipped {Percent(profile.SkippedImages, profile.Images)} of the images, whose output was remembered";
        terminal.Out.WriteLine($"{profile.Steps.Of("step")}, {Figures.Rate(profile.ImagesPerSecond)} images/s{skipped}");
        terminal.Out.WriteLine($"libtorch's convolutions alone, for {limit.BatchSize.Of("image")}: teacher "
            + $"{Milliseconds(limit.TeacherSeconds)}, student {Milliseconds(limit.StudentSeconds)} forward and backward");
        terminal.Out.WriteLine($"those that a step needed come to {Milliseconds(profile.LimitSeconds(limit))}: "
            + $"{Percent(profile.LimitSeconds(limit), profile.StepSeconds)} of that limit is reached");
        if (limit.PeakMultiplyAdds > 0)
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"their multiply-adds are "
                + $"{Percent(profile.PeakShare(limit), 1)} of the {limit.PeakMultiplyAdds / 1e9:0} billion a second that this processor "
                + $"does in float32"));

        void Row(string name, double seconds) =>
            table.Add(name, (1000 * seconds).ToString("0.00", CultureInfo.InvariantCulture), Percent(seconds, profile.StepSeconds));
    }

    /// <summary>The same for a program.</summary>
    public static object Json(StepProfile profile, ConvolutionLimit? limit) => new
    {
        profile.Steps, profile.Images, profile.ImagesPerSecond, profile.SkippedImages,
        milliseconds = phases.ToDictionary(phase => phase.Name.Replace(' ', '_'), phase => 1000 * profile.Seconds(phase.Phase)),
        stepMilliseconds = 1000 * profile.StepSeconds,
        convolutions = limit is null ? null : new
        {
            teacherMilliseconds = 1000 * limit.TeacherSeconds, studentMilliseconds = 1000 * limit.StudentSeconds,
            limitMilliseconds = 1000 * profile.LimitSeconds(limit), reached = profile.LimitSeconds(limit) / profile.StepSeconds,
            peakShare = profile.PeakShare(limit),
        },
    };

    static string Percent(double part, double whole) =>
        string.Create(CultureInfo.InvariantCulture, $"{(whole > 0 ? 100 * part / whole : 0):0.0} %");

    static string Milliseconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{1000 * seconds:0.00} ms");
}
