namespace DistillSharp.Experiments.Recipes;

/// <summary>How the values of a key stand in a recipe.</summary>
/// <param name="Allowed">Which values there are, in words: for messages and for docs/recipes.md.</param>
/// <param name="Read">Reads a value that stands there.</param>
/// <param name="Write">Writes a value as YAML that reads back as the same, in one spelling.</param>
/// <param name="None">What is written where there is no value.</param>
sealed record RecipeForm<T>(string Allowed, Func<GivenValue, T> Read, Func<T, string> Write, string None = "null");

/// <summary>A value that stands at a key, and what is allowed there.</summary>
readonly record struct GivenValue(RecipeSection Section, string Key, YamlValue Value, RecipeKnown Known, string Allowed)
{
    /// <summary>The key with its section, as in <c>data.augment</c>.</summary>
    public string Path => $"{Section.Path}.{Key}";

    /// <summary>The mistake that it is not what the key must have.</summary>
    public UsageException Wrong() => Section.Wrong(Key, Value, Allowed);

    public UsageException Mistake(string what) => Section.Mistake(Key, what);
}
