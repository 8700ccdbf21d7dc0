using System.CommandLine.Invocation;

namespace DistillSharp.Cli;

sealed class PrintVersion : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult given)
    {
        given.InvocationConfiguration.Output.WriteLine($"distill {Application.Version}");
        return 0;
    }
}
