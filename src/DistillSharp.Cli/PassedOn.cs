namespace DistillSharp.Cli;

/// <summary>The words of another command line, given after <c>--</c>: they may look like options, and are not read here.</summary>
sealed class PassedOn(string name, string description) : CliArgument<string[]>(name, description);
