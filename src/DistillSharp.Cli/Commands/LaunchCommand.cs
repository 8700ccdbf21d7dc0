using DistillSharp.Experiments.Launching;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Cli.Commands;

sealed class LaunchCommand : CliCommand
{
    readonly PassedOn command = new("COMMAND", "'train' with its own arguments, after --") { Arity = ArgumentArity.OneOrMore };
    readonly CliOption<int> processes =
        new("--processes", "How many processes train together, each on its share of every batch", help: "N") { Required = true };
    readonly CliOption<int?> timeout =
        new("--timeout", "Seconds that one process waits for another before all end; 300 where it is left out", help: "SECONDS");

    readonly IReadOnlyList<string> program;

    /// <param name="program">The command that stands for <c>distill</c> in the processes; this one where it is left out.</param>
    public LaunchCommand(IReadOnlyList<string>? program = null) : base(
        "launch", "Train with several processes on this machine; when one fails, all end.",
        "distill launch --processes 2 -- train recipes/cifar100-resnet56-resnet20-fsecd.yaml --name both --resume")
    {
        this.program = program ?? TrainingProcess.ThisProgram;
        Takes(command, processes, timeout);
    }

    public override int Run(ParseResult given, Terminal terminal)
    {
        var words = given.GetValue(command)!;
        if (words[0] != "train")
            throw new UsageException($"'distill launch' starts 'train', whose work processes can share, not '{words[0]}'; write: distill "
                + "launch --processes N -- train RECIPE");
        if (given.GetValue(timeout) is { } seconds && seconds < 1)
            throw new UsageException($"--timeout is {seconds}; give 1 second or more");
        string[] plugins = [.. Names.Plugins.SelectMany(file => new[] { "--plugin", Path.GetFullPath(file) })];
        var result = new ProcessLauncher(given.GetValue(processes), [.. program, .. plugins, .. words])
        {
            Timeout = given.GetValue(timeout) is { } waited ? TimeSpan.FromSeconds(waited) : null,
        }.Run().GetAwaiter().GetResult();
        if (result.Failure is { } failure) terminal.Error.WriteLine($"distill: {failure}");
        return result.ExitCode;
    }
}
