using DistillSharp.Data;

namespace DistillSharp.Training;

/// <summary>What is about to be trained.</summary>
/// <param name="Epochs">Epochs of the whole run.</param>
/// <param name="StepsPerEpoch">Steps of one epoch.</param>
/// <param name="BatchSize">Images of one step.</param>
/// <param name="FirstEpoch">The epoch that comes first, greater than 1 when a run is resumed.</param>
/// <param name="Precision">What the precision was resolved to.</param>
/// <param name="Parameters">Trainable values of the student.</param>
public sealed record TrainingPlan(int Epochs, int StepsPerEpoch, int BatchSize, int FirstEpoch, Torch.Precision Precision, long Parameters);

/// <summary>One optimizer step that was done.</summary>
/// <param name="Epoch">Its epoch, from 1.</param>
/// <param name="Batch">Its place in the epoch, from 1.</param>
/// <param name="Step">Steps since the run's start.</param>
/// <param name="Loss">The total loss before the step.</param>
/// <param name="Terms">Its weighted terms.</param>
/// <param name="LearningRate">The rate of the step.</param>
/// <param name="ImagesPerSecond">Over the epoch so far.</param>
public readonly record struct StepReport(
    int Epoch, int Batch, long Step, double Loss, IReadOnlyList<(string Name, double Value)> Terms, double LearningRate,
    double ImagesPerSecond);

/// <summary>Watches a training run: override what you want to see.</summary>
public abstract class TrainingObserver
{
    /// <summary>Training begins.</summary>
    public virtual void Started(TrainingPlan plan) { }

    /// <summary>A step was done.</summary>
    public virtual void Stepped(StepReport report) { }

    /// <summary>The student is about to be measured.</summary>
    public virtual void Evaluating(int epoch) { }

    /// <summary>An epoch ended. It is called before the epoch's checkpoint is written.</summary>
    public virtual void EpochEnded(EpochMetrics metrics) { }

    /// <summary>An image turned out damaged and is left out; <see cref="Warned"/> tells of it too.</summary>
    public virtual void Skipped(ImageProblem image) { }

    /// <summary>Something worth knowing.</summary>
    public virtual void Said(string message) { }

    /// <summary>Something went wrong and training goes on.</summary>
    public virtual void Warned(string message) { }

    /// <summary>Passes everything on to several observers, in order.</summary>
    public static TrainingObserver Of(params IReadOnlyList<TrainingObserver> observers) => new Several(observers);

    sealed class Several(IReadOnlyList<TrainingObserver> observers) : TrainingObserver
    {
        public override void Started(TrainingPlan plan) => Each(observer => observer.Started(plan));

        public override void Stepped(StepReport report) => Each(observer => observer.Stepped(report));

        public override void Evaluating(int epoch) => Each(observer => observer.Evaluating(epoch));

        public override void EpochEnded(EpochMetrics metrics) => Each(observer => observer.EpochEnded(metrics));

        public override void Skipped(ImageProblem image) => Each(observer => observer.Skipped(image));

        public override void Said(string message) => Each(observer => observer.Said(message));

        public override void Warned(string message) => Each(observer => observer.Warned(message));

        void Each(Action<TrainingObserver> tell)
        {
            foreach (var observer in observers) tell(observer);
        }
    }
}
