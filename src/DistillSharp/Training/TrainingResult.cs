using DistillSharp.Evaluation;

namespace DistillSharp.Training;

/// <summary>How a run ended.</summary>
/// <param name="Completed">Whether it reached its last epoch; if not, it was asked to stop and can be resumed.</param>
/// <param name="Accuracy">The student's accuracy at the last measurement; null when it was never measured.</param>
/// <param name="BestAcc1">The best top-1 accuracy of any epoch, in percent.</param>
/// <param name="BestEpoch">The epoch of the best accuracy.</param>
/// <param name="Epochs">Epochs that were completed.</param>
/// <param name="Steps">Optimizer steps.</param>
public sealed record TrainingResult(bool Completed, Accuracy? Accuracy, double? BestAcc1, int? BestEpoch, int Epochs, long Steps)
{
    /// <summary>The accuracy of the moving average of the weights at the last measurement; null where none is kept.</summary>
    public Accuracy? AverageAccuracy { get; init; }
}
