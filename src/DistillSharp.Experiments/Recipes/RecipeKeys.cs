namespace DistillSharp.Experiments.Recipes;

/// <summary>The keys of a section, in the order of their declaration, which is that of reading and writing.</summary>
sealed class RecipeKeys(string section)
{
    readonly List<RecipeKey> keys = [];

    public string Section => section;

    public IReadOnlyList<RecipeKey> All => keys;

    public IReadOnlyList<string> Names => [.. keys.Select(key => key.Name)];

    /// <summary>Declares a key whose default follows from what is known: of its section, the keys declared before it.</summary>
    public RecipeKey<T> Add<T>(string name, RecipeForm<T> form, string about, Func<RecipeKnown, T> follow, string usual,
        bool changesResults = true, Func<RecipeKnown, bool>? written = null)
    {
        var key = new RecipeKey<T>($"{section}.{name}", name, form, about, follow, usual, changesResults, written);
        keys.Add(key);
        return key;
    }

    /// <summary>Declares a key whose default is always the same. A quiet one is not written out where it has that.</summary>
    public RecipeKey<T> Add<T>(string name, RecipeForm<T> form, string about, T otherwise, string? usual = null,
        bool changesResults = true, Func<RecipeKnown, bool>? written = null, bool quiet = false) => Add(
            name, form, about, _ => otherwise, usual ?? (otherwise is null ? "none" : $"`{form.Write(otherwise)}`"), changesResults,
            quiet ? known => !Equals(known.Values[name], otherwise) : written);

    /// <summary>Opens a section of a recipe, which may be called by another path; it may have these keys and no other.</summary>
    public RecipeSection Open(YamlValue mapping, string? path = null) => new(mapping, path ?? section, Names);

    /// <summary>The values of an opened section, given or by default.</summary>
    public RecipeValues Read(RecipeSection opened, RecipeKnown known)
    {
        known = known with { Values = new() };
        foreach (var key in keys) known.Values[key.Name] = key.Read(opened, known);
        foreach (var key in keys)
            if (key.Written is { } written && !written(known)) known.Values.Hide(key.Name);
        return known.Values;
    }

    /// <summary>Writes a section out, or of it only the decisive keys, which change results; with a remark beside each value.</summary>
    public void Write(RecipeText text, RecipeValues values, bool decisive, string? remark = null)
    {
        text.Section(section);
        WriteEntries(text, values, decisive, remark);
    }

    /// <summary>Writes the keys with their values, where the text stands.</summary>
    public void WriteEntries(RecipeText text, RecipeValues values, bool decisive, string? remark = null)
    {
        foreach (var key in keys)
            if (values.IsShown(key.Name) && (key.ChangesResults || !decisive)) text.Raw(key.Name, key.Write(values), remark);
    }
}
