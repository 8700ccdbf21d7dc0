using System.CommandLine;

namespace DistillSharp.Cli.Tests;

enum Shade { Light, Dark }

/// <summary>A command with one of each kind of argument and option, which does what the test says.</summary>
sealed class ProbeCommand : CliCommand
{
    public readonly Argument<string> Recipe = new("RECIPE") { Description = "A recipe" };
    public readonly Option<int> Epochs = new("--epochs") { Description = "How many", DefaultValueFactory = _ => 1 };
    public readonly Option<double?> Rate = new("--rate") { Description = "How fast" };
    public readonly Option<Shade> Shade = new("--shade") { Description = "How dark" };
    public new readonly Option<string[]> Set = new("--set") { Description = "path=value" };
    public readonly Option<string> Root = new("--root") { Description = "Where", Required = true };
    readonly Func<ProbeCommand, ParseResult, Terminal, int> work;

    public ProbeCommand(Func<ProbeCommand, ParseResult, Terminal, int> work)
        : base("probe", "Probe the frame.", "distill probe recipe.yaml --root data")
    {
        this.work = work;
        Arguments.Add(Recipe);
        foreach (Option option in new Option[] { Json, Epochs, Rate, Shade, Set, Root }) Options.Add(option);
    }

    public override int Run(ParseResult given, Terminal terminal) => work(this, given, terminal);
}

/// <summary>A run of the tool with its output kept.</summary>
sealed class Session
{
    readonly StringWriter output = new();
    readonly StringWriter error = new();

    public string Out => output.ToString();

    public string Error => error.ToString();

    public int Run(IReadOnlyList<CliCommand> commands, params string[] arguments) =>
        new Application(new Terminal(output, error), commands).Run(arguments);

    public int Probe(Func<ProbeCommand, ParseResult, Terminal, int> work, params string[] arguments) =>
        Run([new ProbeCommand(work)], ["probe", "recipe.yaml", "--root", "data", .. arguments]);
}
