namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// One mapping of a recipe as its reader sees it: the values by key, and every mistake told with its place.
/// An absent key, or one without a value, stands for the default.
/// </summary>
sealed class RecipeSection
{
    readonly YamlValue mapping;

    /// <summary>Opens a mapping that is called by its path, <c>train</c> or <c>methods[0]</c>, and may have these keys.</summary>
    public RecipeSection(YamlValue mapping, string path, IReadOnlyCollection<string> keys)
    {
        (this.mapping, Path) = (mapping, path);
        if (mapping.Kind != YamlKind.Mapping)
            throw mapping.Mistake($"{path} is {Shown(mapping)}; it must be keys with values, such as {{ {keys.First()}: ... }}");
        foreach (var (key, value) in mapping.Entries)
            if (!keys.Contains(key)) throw value.Mistake($"{path} has no key '{ShownText.Of(key)}'{HintOrList(key, keys)}");
    }

    /// <summary>How the section is called in messages.</summary>
    public string Path { get; }

    /// <summary>The value of a key; null where it stands for the default.</summary>
    public YamlValue? this[string key] => mapping[key] is { IsNull: false } value ? value : null;

    /// <summary>The nearest of the known names as a question, or else all of them.</summary>
    public static string HintOrList(string given, IReadOnlyCollection<string> known) =>
        Nearest.Hint(given, known) is { Length: > 0 } hint ? hint
            : $"; there {(known.Count == 1 ? "is" : "are")} {string.Join(", ", known)}";

    /// <summary>A mistake at a key, or at the section where the key is absent.</summary>
    public UsageException Mistake(string key, string what) => new($"{(this[key] ?? mapping).Place}: {what}");

    /// <summary>The mistake that a value is not what its key must have.</summary>
    public UsageException Wrong(string key, YamlValue value, string must) =>
        new($"{value.Place}: {Path}.{key} is {Shown(value)}; it must be {must}");

    /// <summary>A value as messages show it.</summary>
    public static string Shown(YamlValue value) => value.Kind switch
    {
        YamlKind.Mapping => "keys with values",
        YamlKind.Sequence => "a list",
        _ when value.IsNull => "nothing",
        _ when value.Quoted => $"the text '{ShownText.Of(value.Text)}'",
        _ => $"'{ShownText.Of(value.Text)}'",
    };

    /// <summary>Whether a value is a whole number within bounds.</summary>
    public static bool IsWhole(YamlValue value, long min, long max, out long number) =>
        long.TryParse(Plain(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
        && number >= min && number <= max;

    /// <summary>Whether a value is a finite number.</summary>
    public static bool IsNumber(YamlValue value, out double number) =>
        double.TryParse(Plain(value), NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    static string? Plain(YamlValue value) => value is { Kind: YamlKind.Scalar, Quoted: false } ? value.Text : null;
}
