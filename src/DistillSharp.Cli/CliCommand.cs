using System.CommandLine;

namespace DistillSharp.Cli;

/// <summary>
/// One command of the tool. Its constructor adds arguments and options and must touch neither files nor the toolkit: every
/// command is made on every start, for the help page too. Its file in Commands/ bears its name.
/// </summary>
/// <param name="name">What the user types.</param>
/// <param name="description">One sentence for the help page.</param>
/// <param name="examples">Whole command lines that work as they stand, for the command's own help page.</param>
abstract class CliCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Does the work. Failures are exceptions; see <see cref="Application"/> for what becomes of them.</summary>
    /// <returns>The exit code: 0 when all went well, 1 when the answer is "no" (a check that did not pass).</returns>
    public abstract int Run(ParseResult given, Terminal terminal);

    /// <summary>The option of every command whose answer a program would read.</summary>
    protected static Option<bool> JsonOption() => new("--json")
    {
        Description = "Print one JSON value on standard output; messages go to standard error",
    };
}
