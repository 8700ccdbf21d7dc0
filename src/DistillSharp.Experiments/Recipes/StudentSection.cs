namespace DistillSharp.Experiments.Recipes;

/// <summary>The section <c>student</c>: the network to train.</summary>
public sealed record StudentSection
{
    internal static RecipeKeys Keys { get; } = new("student");

    static readonly RecipeKey<string?> network = Keys.Add("network", RecipeForms.Name(toolkit => toolkit.Networks),
        "a network (`distill models`)", otherwise: null, "must be given");
    static readonly RecipeKey<string?> weights = Keys.Add("weights", RecipeForms.Text("a file"),
        "a file of weights to begin from", otherwise: null, "fresh weights");

    readonly RecipeValues values;

    StudentSection(RecipeValues values) => this.values = values;

    /// <summary>The network, one of <see cref="Toolkit.Networks"/>.</summary>
    public string Network => network.Of(values)!;

    /// <summary>The file of the weights to begin with, relative to the current folder; null for fresh ones.</summary>
    public string? Weights => weights.Of(values);

    /// <summary>Makes the network, with its weights where there are any.</summary>
    internal Classifier Create(int classes, Toolkit toolkit, Action<string>? said, ulong? seed = null) =>
        TeacherEntry.Create("student", Network, Weights, classes, toolkit, said, seed);

    internal static StudentSection Read(YamlValue value, RecipeKnown known)
    {
        var section = Keys.Open(value);
        return section["network"] is null
            ? throw section.Mistake("network", $"the student has no network; there are {string.Join(", ", known.Toolkit.Networks.Names)}")
            : new(Keys.Read(section, known));
    }

    internal void Write(RecipeText text, bool decisive) => Keys.Write(text, values, decisive);
}
