using DistillSharp.Extending;

namespace DistillSharp.Cli;

/// <summary>What a command knows by name.</summary>
/// <param name="Toolkit">What comes with the library, what the program added, and what plugins did.</param>
/// <param name="Plugins">The files of the plugins, for processes that are to know the same.</param>
sealed record CommandNames(Toolkit Toolkit, IReadOnlyList<string> Plugins);

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

    /// <summary>What names on the command line and in recipes stand for; the application sets it before <see cref="Run"/>.</summary>
    public CommandNames Names { get; set; } = new(Toolkit.BuiltIn, []);

    protected Toolkit Toolkit => Names.Toolkit;

    /// <summary>The option of every command whose answer a program would read.</summary>
    public Option<bool> Json { get; } =
        new CliOption<bool>("--json", "Print one JSON value on standard output; messages go to standard error");

    protected Option<string[]> Set { get; } = new CliOption<string[]>(
        "--set", "Replace a value of the recipe: path=value, for example train.epochs=2 (may be given several times)", usual: [],
        help: "path=value");

    protected Option<string> Runs { get; } = new CliOption<string>("--runs", "The folder of all runs", usual: "runs");

    /// <summary>Adds arguments and options, in the order of the help page.</summary>
    protected void Takes(params ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
            if (symbol is Argument argument) Arguments.Add(argument);
            else Options.Add((Option)symbol);
    }

    /// <summary>Does the work. Failures are exceptions; see <see cref="Application"/> for what becomes of them.</summary>
    /// <returns>The exit code: 0 when all went well, 1 when the answer is "no" (a check that did not pass).</returns>
    public abstract int Run(ParseResult given, Terminal terminal);
}
