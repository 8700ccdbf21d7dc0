namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// What a recipe leaves unsaid: the protocol of the CRD and DKD comparisons (Tian et al. 2020, Zhao et al. 2022), from which the
/// paper takes most rows of its tables. There is one for ImageNet and one for CIFAR-100, which is that of all other sets too.
/// </summary>
sealed record Protocol
{
    static readonly Protocol cifar = new() { Epochs = 240, Batch = 64, Steps = [150, 180, 210], WeightDecay = 5e-4, Augment = ["crop", "flip"] };
    static readonly Protocol imagenet = new() { Epochs = 100, Batch = 256, Steps = [30, 60, 90], WeightDecay = 1e-4, Augment = ["resized-crop", "flip"] };

    public const double Momentum = 0.9;
    public const double Factor = 0.1;

    public required int Epochs { get; init; }
    public required int Batch { get; init; }
    public required double WeightDecay { get; init; }
    public required IReadOnlyList<string> Augment { get; init; }
    public required IReadOnlyList<int> Steps { get; init; }

    /// <summary>The protocol for a data set.</summary>
    public static Protocol Of(string set) => set switch
    {
        "imagenet" => imagenet,
        "image-folder" => cifar with { Augment = imagenet.Augment },
        // Digits are not mirrored.
        "mnist" => cifar with { Augment = ["crop"] },
        _ => cifar,
    };

    /// <summary>The learning rate for a student: on small images the light networks diverge at the usual one.</summary>
    public double LearningRate(string student) =>
        this == imagenet ? 0.1 : student is "mobilenet_v2_half" or "shufflenet_v1" or "shufflenet_v2" ? 0.01 : 0.05;

    /// <summary>
    /// The epochs after which the rate falls: the published ones, such as 150, 180 and 210 of 240, and the same parts of any
    /// other number, so that a run scaled down sees the whole schedule.
    /// </summary>
    public IReadOnlyList<int> StepsOf(int epochs) =>
        [.. Steps.Select(step => (int)(((long)step * epochs + Epochs / 2) / Epochs)).Where(step => step > 0 && step < epochs).Distinct()];
}
