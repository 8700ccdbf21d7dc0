using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Experiments.Sweeps;

/// <summary>One run that a sweep asks for.</summary>
/// <param name="Name">The name it should have: pair, method, seed and what else the sweep varies.</param>
/// <param name="Recipe">Its recipe, checked.</param>
public sealed record RunSpec(string Name, Recipe Recipe)
{
    /// <summary>What tells it from the others of its pair and seed: the method's label, and what is varied.</summary>
    public string Label { get; init; } = string.Join('-', Recipe.MethodNames);

    /// <summary>Whether it shares what its teacher answers with other runs of the sweep.</summary>
    public bool SharesTeacher { get; init; }

    /// <summary>The resolved recipe: what the run is started with.</summary>
    public string RecipeText { get; } = Recipe.Resolve();

    /// <summary>The digest of the resolved recipe, by which the run is found again.</summary>
    public string Digest { get; } = Recipe.Digest;
}
