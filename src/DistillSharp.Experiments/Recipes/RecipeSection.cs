using System.Globalization;
using DistillSharp.Formats.Files;

namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// One mapping of a recipe as its reader sees it: the values by key, each of its type, and every mistake told with its place.
/// An absent key, or one without a value, stands for the default.
/// </summary>
sealed class RecipeSection
{
    readonly YamlValue mapping;

    /// <summary>Opens a mapping.</summary>
    /// <param name="mapping">The value.</param>
    /// <param name="path">How to call it: <c>train</c>, <c>methods[0]</c>.</param>
    /// <param name="keys">Every key that it may have.</param>
    /// <exception cref="UsageException">It is no mapping, or it has another key.</exception>
    public RecipeSection(YamlValue mapping, string path, IReadOnlyCollection<string> keys)
    {
        this.mapping = mapping;
        Path = path;
        if (mapping.Kind != YamlKind.Mapping)
            throw new UsageException($"{mapping.Place}: {path} is {Shown(mapping)}; it must be keys with values, such as {{ {keys.First()}: ... }}");
        foreach (var (key, value) in mapping.Entries)
            if (!keys.Contains(key)) throw new UsageException($"{value.Place}: {path} has no key '{ShownText.Of(key)}'{HintOrList(key, keys)}");
    }

    /// <summary>How the section is called in messages.</summary>
    public string Path { get; }

    /// <summary>Where the section stands.</summary>
    public YamlPlace Place => mapping.Place;

    /// <summary>The value of a key; null where it stands for the default.</summary>
    public YamlValue? this[string key] => mapping[key] is { IsNull: false } value ? value : null;

    /// <summary>The nearest of the known names as a question, or else all of them.</summary>
    public static string HintOrList(string given, IReadOnlyCollection<string> known) =>
        Nearest.Hint(given, known) is { Length: > 0 } hint ? hint : $"; there {(known.Count == 1 ? "is" : "are")} {string.Join(", ", known)}";

    /// <summary>A mistake at a key, or at the section where the key is absent.</summary>
    public UsageException Mistake(string key, string what) => new($"{this[key]?.Place ?? Place}: {what}");

    /// <summary>The mistake that a value is not what its key must have.</summary>
    public UsageException Wrong(string key, YamlValue value, string must) =>
        new($"{value.Place}: {Path}.{key} is {Shown(value)}; it must be {must}");

    /// <summary>A text, or null.</summary>
    public string? Text(string key, string must = "a text")
    {
        if (this[key] is not { } value) return null;
        if (value.Kind != YamlKind.Scalar || value.Text.Length == 0 || value.Text.Any(char.IsControl)) throw Wrong(key, value, must);
        return value.Text;
    }

    /// <summary>One of the names that there are, or null.</summary>
    public string? Name<T>(string key, Registry<T> known)
    {
        if (Text(key, $"the name of a {known.Kind}") is not { } name) return null;
        return known.Contains(name) ? name
            : throw Mistake(key, $"{Path}.{key} is '{ShownText.Of(name)}', but there is no such {known.Kind}{HintOrList(name, known.Names)}");
    }

    /// <summary>What a name stands for, or null.</summary>
    public T? Known<T>(string key, Registry<T> known) where T : class => Name(key, known) is { } name ? known[name] : null;

    /// <summary>One of some words.</summary>
    public string Word(string key, string otherwise, params string[] words)
    {
        if (this[key] is not { } value) return otherwise;
        return value.Kind == YamlKind.Scalar && words.Contains(value.Text) ? value.Text
            : throw Wrong(key, value, string.Join(" or ", words));
    }

    /// <summary>A whole number, or null.</summary>
    public long? Whole(string key, long min, long max)
    {
        if (this[key] is not { } value) return null;
        return IsWhole(value, min, max, out var number) ? number
            : throw Wrong(key, value, max is long.MaxValue or int.MaxValue ? $"a whole number of at least {min}" : $"a whole number from {min} to {max}");
    }

    /// <summary>A whole number that fits an int, or null.</summary>
    public int? Int(string key, int min, int max = int.MaxValue) => (int?)Whole(key, min, max);

    /// <summary>A finite number, or null.</summary>
    public double? Number(string key, Func<double, bool> possible, string must)
    {
        if (this[key] is not { } value) return null;
        return IsNumber(value, out var number) && possible(number) ? number : throw Wrong(key, value, must);
    }

    /// <summary>Yes or no.</summary>
    public bool Flag(string key, bool otherwise)
    {
        if (this[key] is not { } value) return otherwise;
        return value is { Kind: YamlKind.Scalar, Quoted: false, Text: "true" or "True" or "TRUE" } || (value is { Kind: YamlKind.Scalar, Quoted: false, Text: "false" or "False" or "FALSE" }
            ? false : throw Wrong(key, value, "true or false"));
    }

    /// <summary>A list of finite numbers, or null.</summary>
    public IReadOnlyList<double>? Numbers(string key, Func<double, bool> possible, string must)
    {
        if (this[key] is not { } value) return null;
        if (value.Kind != YamlKind.Sequence) throw Wrong(key, value, must);
        return [.. value.Items.Select(item => IsNumber(item, out var number) && possible(number) ? number : throw Wrong(key, item, must))];
    }

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
    public static bool IsWhole(YamlValue value, long min, long max, out long number)
    {
        number = 0;
        return value is { Kind: YamlKind.Scalar, Quoted: false }
            && long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
            && number >= min && number <= max;
    }

    static bool IsNumber(YamlValue value, out double number)
    {
        number = 0;
        return value is { Kind: YamlKind.Scalar, Quoted: false }
            && double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
    }
}
