namespace DistillSharp.Experiments.Recipes;

/// <summary>The section <c>ce</c>: cross-entropy with the labels, which is always there.</summary>
static class CrossEntropySection
{
    public static RecipeKeys Keys { get; } = new("ce");

    public static RecipeKey<double> Weight { get; } = Keys.Add("weight", RecipeForms.NotNegative, "factor of cross-entropy in the loss",
        known => known.CrossEntropyWeight, "the smallest that the methods ask for: 0.1 beside KD (0.5 for photographs), else 1");
}
