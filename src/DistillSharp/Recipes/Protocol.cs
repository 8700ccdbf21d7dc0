namespace DistillSharp.Recipes;

/// <summary>
/// What a recipe leaves unsaid: the protocol for CIFAR-100 of the CRD and DKD comparisons (Tian et al. 2020, Zhao et al. 2022),
/// from which the paper takes most rows of its tables.
/// </summary>
static class Protocol
{
    public const int Epochs = 240;
    public const int Batch = 64;
    public const double Momentum = 0.9;
    public const double WeightDecay = 5e-4;
    public const double Factor = 0.1;

    /// <summary>The learning rate for a student: the light networks diverge at the usual one.</summary>
    public static double LearningRate(string student) =>
        student is "mobilenet_v2_half" or "shufflenet_v1" or "shufflenet_v2" ? 0.01 : 0.05;

    /// <summary>
    /// The epochs after which the rate falls: 150, 180 and 210 of 240, and the same parts of any other number, so that a run
    /// scaled down sees the whole schedule.
    /// </summary>
    public static IReadOnlyList<int> Steps(int epochs) =>
        [.. new long[] { 150, 180, 210 }.Select(step => (int)((step * epochs + Epochs / 2) / Epochs)).Where(step => step > 0 && step < epochs).Distinct()];

    /// <summary>Crop and flip; digits are not mirrored.</summary>
    public static IReadOnlyList<string> Augment(string set) => set switch
    {
        "mnist" => ["crop"],
        "image-folder" => ["resized-crop", "flip"],
        _ => ["crop", "flip"],
    };
}
