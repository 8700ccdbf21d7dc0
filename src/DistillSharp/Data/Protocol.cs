using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Data;

/// <summary>
/// How networks are usually trained on a data set: the protocol of the CRD and DKD comparisons (Tian et al. 2020, Zhao et al.
/// 2022), from which the paper takes most rows of its tables. What a recipe leaves unsaid follows it.
/// </summary>
public sealed record Protocol
{
    /// <summary>The students that diverge at the usual rate on small images, and so have <see cref="LightRate"/>.</summary>
    public static IReadOnlyList<string> LightStudents { get; } = ["mobilenet_v2_half", "shufflenet_v1", "shufflenet_v2"];

    /// <summary>That of CIFAR-100, and of other small images.</summary>
    public static Protocol Cifar { get; } = new()
    {
        Epochs = 240, Batch = 64, Rate = 0.05, LightRate = 0.01, Steps = [150, 180, 210], WeightDecay = 5e-4,
        Augment = [new PadAndCrop(), new Flip()],
    };

    /// <summary>That of ImageNet, and of other photographs.</summary>
    public static Protocol ImageNet { get; } = new()
    {
        Epochs = 100, Batch = 256, Rate = 0.1, LightRate = 0.1, Steps = [30, 60, 90], WeightDecay = 1e-4,
        Augment = [new ResizedCrop(), new Flip()],
        IsImageNet = true,
    };

    /// <summary>SGD's momentum.</summary>
    public const double Momentum = 0.9;

    /// <summary>The learning rate of Adam and AdamW, that of their paper.</summary>
    public const double AdamRate = 1e-3;

    /// <summary>What the learning rate is multiplied by at each of <see cref="Steps"/>.</summary>
    public const double Factor = 0.1;

    /// <summary>Passes over the training images.</summary>
    public required int Epochs { get; init; }

    /// <summary>Images of one step.</summary>
    public required int Batch { get; init; }

    /// <summary>The learning rate.</summary>
    public required double Rate { get; init; }

    /// <summary>The learning rate for <see cref="LightStudents"/>.</summary>
    public required double LightRate { get; init; }

    /// <summary>SGD's weight decay.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>What is done to training images.</summary>
    public required IReadOnlyList<AugmentationStep> Augment { get; init; }

    /// <summary>The epochs after which the rate falls, of <see cref="Epochs"/>.</summary>
    public required IReadOnlyList<int> Steps { get; init; }

    /// <summary>Whether it is that of photographs: then what methods have published for ImageNet holds, such as KD's temperature.</summary>
    public bool IsImageNet { get; init; }

    /// <summary>The learning rate for a student.</summary>
    /// <param name="student">The network's name.</param>
    public double LearningRate(string student) => LightStudents.Contains(student) ? LightRate : Rate;

    /// <summary>How a student's learning rate falls over a number of epochs.</summary>
    /// <param name="epochs">Epochs of the run.</param>
    /// <param name="student">The network's name.</param>
    public LearningRateSchedule Schedule(int epochs, string student) =>
        new MultiStepSchedule { BaseRate = LearningRate(student), Milestones = StepsOf(epochs), Gamma = Factor };

    /// <summary>
    /// The epochs after which the rate falls: the published ones, such as 150, 180 and 210 of 240, and the same parts of any
    /// other number, so that a run scaled down sees the whole schedule.
    /// </summary>
    public IReadOnlyList<int> StepsOf(int epochs) =>
        [.. Steps.Select(step => (int)(((long)step * epochs + Epochs / 2) / Epochs)).Where(step => step > 0 && step < epochs).Distinct()];
}
