namespace DistillSharp.Experiments.Recipes;

/// <summary>The keys of a section, in the order of their declaration, which is that of reading and writing.</summary>
sealed class RecipeKeys(string section)
{
    readonly List<RecipeKey> keys = [];

    public string Section => section;

    public IReadOnlyList<RecipeKey> All => keys;

    public IReadOnlyList<string> Names => [.. keys.Select(key => key.Name)];

    /// <summary>Declares a key.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="form">How its values are read and written.</param>
    /// <param name="about">What it is, for docs/recipes.md.</param>
    /// <param name="follow">The default, from what is known: of its section, the keys declared before it.</param>
    /// <param name="usual">The default in words.</param>
    /// <param name="changesResults">Whether another value gives another student, or another measurement of it.</param>
    /// <param name="written">Whether it belongs into the recipe that is written out; null for always.</param>
    public RecipeKey<T> Add<T>(string name, RecipeForm<T> form, string about, Func<RecipeKnown, T> follow, string usual,
        bool changesResults = true, Func<RecipeKnown, bool>? written = null)
    {
        var key = new RecipeKey<T>($"{section}.{name}", name, form, about, follow, usual, changesResults, written);
        keys.Add(key);
        return key;
    }

    /// <summary>Declares a key whose default is always the same. A quiet one is not written out where it has that.</summary>
    /// <inheritdoc cref="Add{T}(string, RecipeForm{T}, string, Func{RecipeKnown, T}, string, bool, Func{RecipeKnown, bool})"/>
    public RecipeKey<T> Add<T>(string name, RecipeForm<T> form, string about, T otherwise, string? usual = null,
        bool changesResults = true, Func<RecipeKnown, bool>? written = null, bool quiet = false) => Add(
            name, form, about, _ => otherwise, usual ?? (otherwise is null ? "none" : $"`{form.Write(otherwise)}`"), changesResults,
            quiet ? known => !Equals(known.Values[name], otherwise) : written);

    /// <summary>Opens a section of a recipe, where it may have these keys and no other.</summary>
    /// <param name="mapping">Its keys with values.</param>
    /// <param name="path">How to call it; null for the section's name.</param>
    /// <exception cref="UsageException">It is no mapping, or it has another key.</exception>
    public RecipeSection Open(YamlValue mapping, string? path = null) => new(mapping, path ?? section, Names);

    /// <summary>The values of an opened section, given or by default.</summary>
    /// <exception cref="UsageException">A value is wrong.</exception>
    public RecipeValues Read(RecipeSection opened, RecipeKnown known)
    {
        known = known with { Values = new() };
        foreach (var key in keys) known.Values[key.Name] = key.Read(opened, known);
        foreach (var key in keys)
            if (key.Written is { } written && !written(known)) known.Values.Hide(key.Name);
        return known.Values;
    }

    /// <summary>Writes a section out.</summary>
    /// <param name="text">Takes it.</param>
    /// <param name="values">Its values.</param>
    /// <param name="decisive">Whether only keys that change results are written.</param>
    /// <param name="remark">What to say beside each value; null for nothing.</param>
    public void Write(RecipeText text, RecipeValues values, bool decisive, string? remark = null)
    {
        text.Section(section);
        WriteEntries(text, values, decisive, remark);
    }

    /// <summary>Writes the keys with their values, where the text stands.</summary>
    /// <inheritdoc cref="Write"/>
    public void WriteEntries(RecipeText text, RecipeValues values, bool decisive, string? remark = null)
    {
        foreach (var key in keys)
            if (values.IsShown(key.Name) && (key.ChangesResults || !decisive)) text.Raw(key.Name, key.Write(values), remark);
    }
}
