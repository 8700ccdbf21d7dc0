using System.Diagnostics;

namespace DistillSharp.Training;

/// <summary>A part of a training step.</summary>
public enum StepPhase
{
    /// <summary>Waiting for the batch, and its way to the device.</summary>
    Data,
    /// <summary>The teacher's answer.</summary>
    Teacher,
    /// <summary>The student's forward pass.</summary>
    StudentForward,
    /// <summary>The methods' terms and their sum, and their values as numbers.</summary>
    Loss,
    /// <summary>The backward pass, through the methods and the student.</summary>
    Backward,
    /// <summary>The step of the weights.</summary>
    Optimizer,
    /// <summary>Everything else: freeing what the step made, counting, telling the observer.</summary>
    Other,
}

/// <summary>
/// Where the time of training steps goes. Give it to <see cref="Trainer.Profile"/>. The first steps are left out, as they make
/// kernels and buffers ready; measurements on the test images and checkpoints are no part of a step. On a GPU each phase
/// waits for the device, so that it is charged with its own work, and the whole becomes slower.
/// </summary>
public sealed class StepProfile
{
    static readonly StepPhase[] phases = Enum.GetValues<StepPhase>();
    readonly long[] ticks = new long[phases.Length], ofThisStep = new long[phases.Length];
    long last;
    int seen;

    /// <summary>Steps to count, after which training ends as if it had been asked to stop; null for all.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Steps at the start that are left out.</summary>
    public int WarmupSteps { get; init; } = 2;

    /// <summary>Steps that were counted.</summary>
    public int Steps { get; private set; }

    /// <summary>Their images.</summary>
    public long Images { get; private set; }

    /// <summary>Those of them that the teacher did not look at, as its answer was remembered.</summary>
    public long SkippedImages { get; private set; }

    /// <summary>Mean seconds of a step.</summary>
    public double StepSeconds => Steps == 0 ? 0 : (double)ticks.Sum() / Stopwatch.Frequency / Steps;

    /// <summary>Training images per second.</summary>
    public double ImagesPerSecond => Steps == 0 ? 0 : Images / (StepSeconds * Steps);

    /// <summary>Whether <see cref="MaxSteps"/> were counted.</summary>
    public bool IsDone => Steps >= MaxSteps;

    internal Device Device { get; set; }

    /// <summary>Mean seconds of a step's part.</summary>
    public double Seconds(StepPhase phase) => Steps == 0 ? 0 : (double)ticks[(int)phase] / Stopwatch.Frequency / Steps;

    /// <summary>The mean seconds that convolutions alone would have taken for a step: the teacher's for the images it looked at.</summary>
    public double LimitSeconds(ConvolutionLimit limit) => Steps == 0 ? 0
        : (limit.StudentSeconds * Images + limit.TeacherSeconds * (Images - SkippedImages)) / limit.BatchSize / Steps;

    /// <summary>
    /// The multiply-adds of the convolutions that a step needed, counted as a direct convolution does them, as a share of what the
    /// processor does at its best in float32 in the same time.
    /// </summary>
    public double PeakShare(ConvolutionLimit limit) => Steps == 0 || limit.PeakMultiplyAdds == 0 ? 0
        : (limit.StudentMultiplyAdds * Images + limit.TeacherMultiplyAdds * (Images - SkippedImages))
            / limit.BatchSize / Steps / StepSeconds / limit.PeakMultiplyAdds;

    /// <summary>Begins to count anew: what went before is no part of a step.</summary>
    internal void Begin() => last = Stopwatch.GetTimestamp();

    /// <summary>Charges the time since the last mark to a phase.</summary>
    internal void Mark(StepPhase phase)
    {
        Runtime.Synchronize(Device);
        var now = Stopwatch.GetTimestamp();
        ofThisStep[(int)phase] += now - last;
        last = now;
    }

    internal void EndStep(int images, int skippedImages)
    {
        Mark(StepPhase.Other);
        if (seen++ >= WarmupSteps)
        {
            for (var i = 0; i < ticks.Length; i++) ticks[i] += ofThisStep[i];
            Steps++;
            Images += images;
            SkippedImages += skippedImages;
        }
        Array.Clear(ofThisStep);
    }
}
