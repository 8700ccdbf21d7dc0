namespace DistillSharp.Experiments.Registry;

/// <summary>CSV as RFC 4180 has it, numbers in the invariant culture.</summary>
static class Csv
{
    public static string Of(IEnumerable<object?> head, IEnumerable<IEnumerable<object?>> rows) =>
        string.Concat(rows.Prepend(head).Select(fields => string.Join(',', fields.Select(Field)) + "\n"));

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
