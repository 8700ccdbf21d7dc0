namespace DistillSharp.Experiments.Recipes;

/// <summary>What docs/recipes.md says of the keys, from their declarations.</summary>
static class RecipePage
{
    /// <summary>Every key that there is, by section, in the order of the written recipe.</summary>
    public static IReadOnlyList<RecipeKeys> Sections { get; } =
        [DataSection.Keys, TeacherEntry.Keys, StudentSection.Keys, CrossEntropySection.Keys, TrainSection.Keys];

    /// <summary>The table of all keys, and which of them change no result.</summary>
    public static string Keys()
    {
        var text = new StringBuilder("| key | what it is | values | default |\n|---|---|---|---|\n");
        foreach (var section in Sections)
        {
            if (section == CrossEntropySection.Keys) text.Append(MethodSection.PageLine).Append('\n');
            foreach (var key in section.All) text.Append($"| `{key.Path}` | {key.About} | {key.Allowed} | {key.Usual} |\n");
        }
        var others = Sections.SelectMany(section => section.All).Where(key => !key.ChangesResults).Select(key => $"`{key.Path}`");
        return text.Append(
            $"\nThese change no result, so that the digest of a recipe does not depend on them: {string.Join(", ", others)}.\n").ToString();
    }
}
