namespace DistillSharp.Cli;

/// <summary>A command that does nothing itself but holds others: <c>distill recipe show</c>.</summary>
abstract class CliGroup : CliCommand
{
    protected CliGroup(string name, string description, params CliCommand[] members)
        : base(name, description, [.. members.Select(member => member.Examples[0])])
    {
        Members = members;
        foreach (var member in members) Subcommands.Add(member);
    }

    public IReadOnlyList<CliCommand> Members { get; }

    public override int Run(ParseResult given, Terminal terminal) => throw new UsageException($"'distill {Name}' needs a command: "
        + $"{string.Join(", ", Members.Select(member => member.Name))} ('distill {Name} --help' says what each does)");
}
