namespace DistillSharp.Experiments.Recipes;

/// <summary>The section <c>ce</c>: cross-entropy with the labels, which is always there.</summary>
sealed record CrossEntropySection
{
    public static RecipeKeys Keys { get; } = new("ce");

    static readonly RecipeKey<double> weight = Keys.Add("weight", RecipeForms.NotNegative, "factor of cross-entropy in the loss",
        known => known.CrossEntropyWeight, "the smallest that the methods ask for: 0.1 beside KD (0.5 for photographs), else 1");

    readonly RecipeValues values;

    CrossEntropySection(RecipeValues values) => this.values = values;

    public double Weight => weight.Of(values);

    public static CrossEntropySection Read(YamlValue value, RecipeKnown known) => new(Keys.Read(Keys.Open(value), known));

    public void Write(RecipeText text, bool decisive, string? remark) => Keys.Write(text, values, decisive, remark);
}
