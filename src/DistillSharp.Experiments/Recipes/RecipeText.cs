namespace DistillSharp.Experiments.Recipes;

/// <summary>Writes a recipe's canonical text: sections at the margin, one setting a line, lists of values in brackets.</summary>
sealed class RecipeText
{
    readonly StringBuilder text = new();
    string indent = "";

    public void Section(string name)
    {
        text.Append(name).Append(":\n");
        indent = "  ";
    }

    /// <summary>Opens an item of a section's list; the entry that follows stands on its line.</summary>
    public void Item()
    {
        text.Append("  - ");
        indent = "";
    }

    public void Line(string line) => text.Append(line).Append('\n');

    /// <summary>Writes a value that is YAML already, and what to say beside it.</summary>
    public void Raw(string key, string value, string? remark = null)
    {
        text.Append(indent).Append(key).Append(": ").Append(value).Append(remark is null ? "" : $"  # {remark}").Append('\n');
        if (indent.Length == 0) indent = "    ";
    }

    /// <summary>Writes a text, in quotes where it needs them.</summary>
    public void Text(string key, string? value) => Raw(key, value is null ? "null" : Quote(value));

    public static string List(IEnumerable<string> values) => $"[{string.Join(", ", values)}]";

    /// <summary>A number as it is read back to the last bit.</summary>
    public static string Number<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    /// <summary>A text as YAML reads it back.</summary>
    public static string Quote(string value)
    {
        var plain = value.Length > 0 && (char.IsAsciiLetter(value[0]) || value[0] is '/' or '_')
            && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '.' or '+')
            && value.ToLowerInvariant() is not ("null" or "true" or "false");
        return plain ? value : '"' + value.Replace("\\", "\\\\").Replace("\"", "\\\"") + '"';
    }

    public override string ToString() => text.ToString();
}
