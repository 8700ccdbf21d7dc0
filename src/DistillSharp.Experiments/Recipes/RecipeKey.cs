namespace DistillSharp.Experiments.Recipes;

/// <summary>One key of a recipe, declared once: reading, writing, digest, docs/recipes.md and differences follow from it.</summary>
/// <param name="Path">The key with its section, as in <c>train.lr</c>.</param>
/// <param name="Name">Its name in the section, as in <c>lr</c>.</param>
/// <param name="About">What it is, for docs/recipes.md.</param>
/// <param name="Allowed">Which values there are, in words.</param>
/// <param name="Usual">The default, in words.</param>
/// <param name="ChangesResults">Whether another value gives another student, or another measurement of it.</param>
/// <param name="Written">Whether it belongs into the recipe that is written out; null for always.</param>
abstract record RecipeKey(
    string Path, string Name, string About, string Allowed, string Usual, bool ChangesResults, Func<RecipeKnown, bool>? Written)
{
    /// <summary>The value that stands in a section, or the default.</summary>
    /// <exception cref="UsageException">What stands there is no value of this key.</exception>
    public abstract object? Read(RecipeSection section, RecipeKnown known);

    public abstract string Write(RecipeValues values);
}

/// <summary>A key whose values are of a type: how they are read and written, and the default, from the keys declared before.</summary>
sealed record RecipeKey<T>(
    string Path, string Name, RecipeForm<T> Form, string About, Func<RecipeKnown, T> Otherwise, string Usual, bool ChangesResults,
    Func<RecipeKnown, bool>? Written) : RecipeKey(Path, Name, About, Form.Allowed, Usual, ChangesResults, Written)
{
    public T Of(RecipeValues values) => (T)values[Name]!;

    public override object? Read(RecipeSection section, RecipeKnown known) =>
        section[Name] is { } value ? Form.Read(new(section, Name, value, known, Allowed)) : Otherwise(known);

    public override string Write(RecipeValues values) => Of(values) is { } value ? Form.Write(value) : Form.None;
}
