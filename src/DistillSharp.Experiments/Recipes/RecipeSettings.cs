namespace DistillSharp.Experiments.Recipes;

/// <summary>
/// A recipe flattened to <c>path = value</c>, as in <c>--set</c>: <c>train.lr = 0.05</c>, <c>methods[0].name = fsecd</c>,
/// <c>data.augment = [crop, flip]</c>. It is what the registry filters by and what two runs are compared by.
/// </summary>
public static class RecipeSettings
{
    /// <summary>The settings of a recipe's text, in the order of their paths.</summary>
    /// <param name="recipe">The recipe's YAML.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="UsageException">The text is no YAML; the message names source and line.</exception>
    public static IReadOnlyDictionary<string, string> Of(string recipe, string source = "the recipe")
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Flatten(YamlValue.Parse(recipe, source), "", settings);
        return settings;
    }

    /// <summary>One spelling for equal values: of <c>5e-4</c> and <c>0.0005</c>, of <c>True</c> and <c>true</c>.</summary>
    public static string Canonical(string value)
    {
        if (value is "~" or "null" or "Null" or "NULL") return "";
        if (value is "True" or "TRUE") return "true";
        if (value is "False" or "FALSE") return "false";
        if (value.Length > 0 && (char.IsAsciiDigit(value[^1]) || value[^1] == '.')
            && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
                ? whole.ToString(CultureInfo.InvariantCulture) : number.ToString(CultureInfo.InvariantCulture);
        return value;
    }

    /// <summary>A value as one line of YAML in canonical spelling.</summary>
    internal static string Inline(YamlValue value) => value.Kind switch
    {
        YamlKind.Scalar => Quote(value),
        YamlKind.Sequence => $"[{string.Join(", ", value.Items.Select(Inline))}]",
        _ when value.Entries.Count == 0 => "{ }",
        _ => $"{{ {string.Join(", ", value.Entries.Select(entry => $"{entry.Key}: {Inline(entry.Value)}"))} }}",
    };

    static void Flatten(YamlValue value, string path, SortedDictionary<string, string> settings)
    {
        switch (value.Kind)
        {
            case YamlKind.Mapping when value.Entries.Count > 0:
                foreach (var (key, entry) in value.Entries) Flatten(entry, path.Length == 0 ? key : $"{path}.{key}", settings);
                break;
            case YamlKind.Sequence when value.Items.Exists(i => i.Kind == YamlKind.Mapping):
                for (var i = 0; i < value.Items.Count; i++) Flatten(value.Items[i], $"{path}[{i}]", settings);
                break;
            default:
                if (path.Length > 0) settings[path] = value.Kind == YamlKind.Scalar ? Scalar(value) : Inline(value);
                break;
        }
    }

    static string Scalar(YamlValue value) => value.Quoted ? value.Text : Canonical(value.Text);

    static string Quote(YamlValue value)
    {
        var plain = !value.Quoted && value.Text.Length > 0 && value.Text.AsSpan().IndexOfAny(",[]{}:#'\"\n") < 0;
        return plain ? Canonical(value.Text) : '"' + value.Text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n") + '"';
    }
}
