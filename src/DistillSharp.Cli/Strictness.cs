using System.CommandLine.Parsing;

namespace DistillSharp.Cli;

/// <summary>Refuses what System.CommandLine passes and no user means: unknown options as values, 1,5 as 15, numbers as choices.</summary>
static class Strictness
{
    public static void Apply(Command command)
    {
        foreach (var argument in command.Arguments.Where(argument => argument is not PassedOn))
            argument.Validators.Add(result => Check(result, argument.ValueType));
        foreach (var option in command.Options) option.Validators.Add(result => Check(result, option.ValueType));
    }

    /// <summary>An argument beginning with two dashes is a mistyped option; a file so named can be given as ./--name.</summary>
    public static bool LooksLikeOption(string word) => word.StartsWith("--", StringComparison.Ordinal);

    /// <summary>Whether <paramref name="word"/> is a value of <paramref name="type"/> as users write it.</summary>
    public static bool Reads(string word, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(int) ? int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            : type == typeof(long) ? long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            : type == typeof(double) || type == typeof(float)
            ? double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            : type == typeof(bool) ? bool.TryParse(word, out _)
            : !type.IsEnum || Choice.Words(type).Contains(word, StringComparer.OrdinalIgnoreCase);
    }

    static void Check(SymbolResult result, Type type)
    {
        foreach (var token in result.Tokens)
            if (LooksLikeOption(token.Value) || !Reads(token.Value, type)) result.AddError($"'{token.Value}' does not fit");
    }
}
