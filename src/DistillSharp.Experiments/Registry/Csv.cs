namespace DistillSharp.Experiments.Registry;

/// <summary>CSV as RFC 4180 has it, numbers in the invariant culture.</summary>
static class Csv
{
    public static void AppendLine(StringBuilder text, IEnumerable<object?> fields) =>
        text.AppendJoin(',', fields.Select(Field)).Append('\n');

    static string Field(object? value)
    {
        var field = value switch
        {
            null => "",
            double d when !double.IsFinite(d) => "",
            IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString()!,
        };
        return field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : '"' + field.Replace("\"", "\"\"") + '"';
    }
}
