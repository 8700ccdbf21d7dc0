namespace DistillSharp.Experiments.Recipes;

/// <summary>What is known where a key is read: it decides defaults, and what names there are.</summary>
/// <param name="Toolkit">What names stand for.</param>
/// <param name="Protocol">That of the data set; <see cref="Protocol.Cifar"/> until it is read.</param>
/// <param name="Student">The student's network; empty until it is read.</param>
/// <param name="CrossEntropyWeight">What the methods ask for; 1 until they are read.</param>
/// <param name="Warnings">Takes what is allowed but likely not meant.</param>
sealed record RecipeKnown(Toolkit Toolkit, Protocol Protocol, string Student, double CrossEntropyWeight, List<string> Warnings)
{
    /// <summary>The section's keys that are read already: those declared before.</summary>
    public RecipeValues Values { get; init; } = new();

    /// <summary>Whether what is read is an item of a list of several.</summary>
    public bool IsOneOfSeveral { get; init; }
}
