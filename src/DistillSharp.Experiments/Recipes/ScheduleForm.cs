using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Experiments.Recipes;

/// <summary>The key <c>train.schedule</c>: a word, or steps with their factor.</summary>
static class ScheduleForm
{
    const string Forms = "cosine, linear, constant or { steps: [150, 180, 210], factor: 0.1 }";
    const string Rising = "a list of epochs in rising order, such as [150, 180, 210]";

    /// <summary>Epochs are counted up to here.</summary>
    public const int MaxEpochs = 1_000_000;

    /// <summary>How it is read and written. The rate, a key before it, is in it; the warm-up comes after.</summary>
    public static RecipeForm<LearningRateSchedule> Form { get; } = new(Forms, Read, Write);

    static double Rate(RecipeKnown known) => (double)known.Values["lr"]!;

    static LearningRateSchedule Read(GivenValue given) => given.Value switch
    {
        { Kind: YamlKind.Scalar, Text: "cosine" } => new CosineSchedule { BaseRate = Rate(given.Known) },
        { Kind: YamlKind.Scalar, Text: "linear" } => new LinearSchedule { BaseRate = Rate(given.Known) },
        { Kind: YamlKind.Scalar, Text: "constant" } => new ConstantSchedule { BaseRate = Rate(given.Known) },
        { Kind: YamlKind.Mapping } => ReadSteps(given),
        _ => throw given.Wrong(),
    };

    static readonly RecipeForm<double> share = RecipeForms.Number(factor => factor is > 0 and <= 1, "a number above 0 and at most 1");

    static MultiStepSchedule ReadSteps(GivenValue given)
    {
        var epochs = (int)given.Known.Values["epochs"]!;
        var schedule = new RecipeSection(given.Value, "train.schedule", ["steps", "factor"]);
        var factor = schedule["factor"] is { } number ? share.Read(new(schedule, "factor", number, given.Known, share.Allowed))
            : Protocol.Factor;
        if (schedule["steps"] is not { } list)
            return new() { BaseRate = Rate(given.Known), Milestones = given.Known.Protocol.StepsOf(epochs), Gamma = factor };

        if (list.Kind != YamlKind.Sequence) throw schedule.Wrong("steps", list, Rising);
        var steps = new List<int>();
        foreach (var item in list.Items)
        {
            if (!RecipeSection.IsWhole(item, steps.Count == 0 ? 1 : steps[^1] + 1L, MaxEpochs, out var step))
                throw schedule.Wrong("steps", item, Rising);
            steps.Add((int)step);
        }
        if (steps.Find(step => step >= epochs) is > 0 and var late)
            given.Known.Warnings.Add($"{list.Place}: the learning rate is to fall after epoch {late}, but training ends with epoch "
                + $"{epochs}; leave train.schedule out and the steps follow train.epochs");
        return new() { BaseRate = Rate(given.Known), Milestones = steps, Gamma = factor };
    }

    static string Write(LearningRateSchedule schedule) => schedule switch
    {
        MultiStepSchedule steps =>
            $"{{ steps: {RecipeText.List(steps.Milestones.Select(RecipeText.Number))}, factor: {RecipeText.Number(steps.Gamma)} }}",
        CosineSchedule => "cosine",
        LinearSchedule => "linear",
        _ => "constant",
    };
}
