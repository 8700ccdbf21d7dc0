namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// One key of a recipe, declared once: reading, writing, the digest, the page docs/recipes.md and what two recipes differ in all
/// follow from it.
/// </summary>
abstract class RecipeKey
{
    /// <summary>The section, as in <c>train</c>.</summary>
    public required string Section { get; init; }

    /// <summary>The key's name in it, as in <c>lr</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, for docs/recipes.md.</summary>
    public required string About { get; init; }

    /// <summary>Whether another value gives another student, or another measurement of it.</summary>
    public bool ChangesResults { get; init; } = true;

    /// <summary>Whether it belongs into the recipe that is written out; null for always.</summary>
    public Func<RecipeKnown, bool>? Written { get; init; }

    /// <summary>As in <c>train.lr</c>.</summary>
    public string Path => $"{Section}.{Name}";

    /// <summary>Which values there are, in words.</summary>
    public abstract string Allowed { get; }

    /// <summary>The default, in words.</summary>
    public abstract string Usual { get; }

    /// <summary>The value that stands in a section, or the default.</summary>
    /// <exception cref="UsageException">What stands there is no value of this key.</exception>
    public abstract object? Read(RecipeSection section, RecipeKnown known);

    /// <summary>The value as YAML.</summary>
    public abstract string Write(RecipeValues values);
}

/// <summary>A key whose values are of a type.</summary>
/// <param name="form">How they are read and written.</param>
/// <param name="otherwise">The default, from what is known: of its section, the keys declared before it.</param>
/// <param name="usual">The default in words.</param>
sealed class RecipeKey<T>(RecipeForm<T> form, Func<RecipeKnown, T> otherwise, string usual) : RecipeKey
{
    /// <inheritdoc/>
    public override string Allowed => form.Allowed;

    /// <inheritdoc/>
    public override string Usual => usual;

    /// <summary>The value of a section.</summary>
    public T Of(RecipeValues values) => (T)values[Name]!;

    /// <inheritdoc/>
    public override object? Read(RecipeSection section, RecipeKnown known) =>
        section[Name] is { } value ? form.Read(new(section, Name, value, known)) : otherwise(known);

    /// <inheritdoc/>
    public override string Write(RecipeValues values) => Of(values) is { } value ? form.Write(value) : form.None;
}
