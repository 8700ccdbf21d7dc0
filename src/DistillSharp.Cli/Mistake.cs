using System.CommandLine.Parsing;

namespace DistillSharp.Cli;

/// <summary>Says in one sentence what is wrong with a command line, naming the nearest word that would be right.</summary>
static class Mistake
{
    /// <param name="given">A command line with at least one error.</param>
    public static string Describe(ParseResult given)
    {
        var result = given.CommandResult;
        var path = Path(result);

        // A word that fits nowhere explains the other errors, such as a required option that was mistyped.
        if (given.UnmatchedTokens.FirstOrDefault(word => word is ['-', _, ..]) is { } option) return NoOption(result, option);
        foreach (var child in result.Children.Where(child => child is not ArgumentResult { Argument: PassedOn }))
            if (child.Tokens.Select(token => token.Value).FirstOrDefault(Strictness.LooksLikeOption) is { } swallowed)
                return NoOption(result, swallowed);
        if (given.UnmatchedTokens is [var word, ..])
            return result.Command.Subcommands.Count > 0 ? NoCommand(result.Command, word)
                : $"'{path}' takes no argument '{word}' here ('{path} --help' shows its use)";

        foreach (var child in result.Children)
        {
            var (name, type) = child switch
            {
                OptionResult { Option: var known } => (known.Name, known.ValueType),
                ArgumentResult { Argument: var known } => (Name(known), known.ValueType),
                _ => ("", typeof(string)),
            };
            if (child.Tokens.Select(token => token.Value).FirstOrDefault(value => !Strictness.Reads(value, type)) is { } unreadable)
                return $"{name} takes {Kind(type)}, not '{unreadable}'";
            if (child is OptionResult { IdentifierTokenCount: > 0, Tokens.Count: 0, Option: { Arity.MinimumNumberOfValues: > 0 } })
                return $"{name} needs a value ('{path} --help' shows its use)";
            if (child is OptionResult { IdentifierTokenCount: > 1, Option: { Arity.MaximumNumberOfValues: <= 1 } })
                return $"{name} is given more than once";
        }

        if (Missing(result) is { Count: > 0 } missing)
            return $"'{path}' needs {string.Join(" and ", missing)} ('{path} --help' shows its use)";
        return given.Errors[0].Message.TrimEnd('.');
    }

    static string NoOption(CommandResult result, string word) =>
        $"'{Path(result)}' has no option '{word}'{Nearest.Hint(word.Split('=', ':')[0], Options(result))}";

    static string NoCommand(Command command, string word)
    {
        var names = command.Subcommands.Select(subcommand => subcommand.Name).ToArray();
        var hint = Nearest.Hint(word, names);
        return $"there is no command '{word}'{(hint.Length > 0 ? hint : $"; the commands are {string.Join(", ", names)}")}";
    }

    static string Path(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{Path(parent)} {result.Command.Name}" : result.Command.Name;

    static string Name(Argument argument) => argument.HelpName ?? argument.Name;

    static IEnumerable<string> Options(CommandResult result)
    {
        for (var (at, own) = (result, true); at is not null; (at, own) = (at.Parent as CommandResult, false))
            foreach (var option in at.Command.Options)
                if (own || option.Recursive) yield return option.Name;
    }

    static List<string> Missing(CommandResult result) =>
    [
        .. result.Command.Arguments
            .Where(argument => argument.Arity.MinimumNumberOfValues > 0 && !argument.HasDefaultValue
                && result.GetResult(argument) is not { Tokens.Count: > 0 })
            .Select(Name),
        .. result.Command.Options
            .Where(option => option.Required && result.GetResult(option) is not { IdentifierTokenCount: > 0 })
            .Select(option => option.Name),
    ];

    static string Kind(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var t when t == typeof(int) || t == typeof(long) => "a whole number",
        var t when t == typeof(double) || t == typeof(float) => "a number",
        var t when t == typeof(bool) => "true or false",
        { IsEnum: true } t => "one of " + string.Join(", ", Choice.Words(t)),
        var t => $"a {t.Name}",
    };
}
