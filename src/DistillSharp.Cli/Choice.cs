using System.CommandLine.Parsing;

namespace DistillSharp.Cli;

/// <summary>Options whose values are words of an enumeration, in snake_case as everywhere: <c>images_per_second</c>.</summary>
static class Choice
{
    /// <summary>An option that takes one of an enumeration's words, the first of them where it is not given.</summary>
    public static Option<T> Of<T>(string name, string description) where T : struct, Enum =>
        new CliOption<T>(name, $"{description} (default {Words(typeof(T))[0]})", string.Join('|', Words(typeof(T))))
        {
            CustomParser = result => Parse<T>(result) ?? default,
        };

    /// <summary>The same without a default.</summary>
    public static Option<T?> OrNone<T>(string name, string description) where T : struct, Enum =>
        new CliOption<T?>(name, description, string.Join('|', Words(typeof(T)))) { CustomParser = Parse<T> };

    public static string[] Words(Type type) => Array.ConvertAll(Enum.GetNames(type), Word);

    public static string Word(Enum value) => Word(value.ToString());

    static string Word(string name) =>
        string.Concat(name.Select(
            (letter, at) => at > 0 && char.IsUpper(letter) ? $"_{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));

    // What is no word was refused before (Strictness).
    static T? Parse<T>(ArgumentResult result) where T : struct, Enum =>
        Array.FindIndex(Words(typeof(T)), word =>
            word.Equals(result.Tokens[0].Value, StringComparison.OrdinalIgnoreCase)) is >= 0 and var at ? Enum.GetValues<T>()[at] : null;
}
