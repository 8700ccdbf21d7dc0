using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace DistillSharp.Cli;

/// <summary>The usual help page, followed by the command's examples.</summary>
sealed class ExampleHelp : SynchronousCommandLineAction
{
    const int Widest = 100, Narrowest = 40;

    // Where it is no terminal there is no right edge.
    static int Width => Console.IsOutputRedirected ? Widest : Math.Clamp(Console.WindowWidth, Narrowest, Widest);

    // Help asked for beside a mistake is still help.
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult given)
    {
        new HelpAction { MaxWidth = Width }.Invoke(given);
        if (given.CommandResult.Command is CliCommand { Examples: { Count: > 0 } examples })
        {
            var output = given.InvocationConfiguration.Output;
            output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in examples) output.WriteLine($"  {example}");
        }
        return 0;
    }
}
