using DistillSharp.Cli.Commands;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Tests;

public sealed class LaunchCommandTests : IDisposable
{
    readonly SampleRuns samples = new();

    // The tool's own output folder, not the copy beside these tests, which lacks the native libraries of packages.
    static string[] Program { get; } =
    [
        "dotnet", "exec",
        Path.Combine(
            AppContext.BaseDirectory, "../../Distill", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
            "distill.dll"),
    ];

    public void Dispose() => samples.Dispose();

    static (int Code, string Error) Run(IReadOnlyList<string> program, params string[] arguments)
    {
        var session = new Session();
        return (session.Run([new LaunchCommand(program)], ["launch", .. arguments]), session.Error);
    }

    [Fact]
    public void Two_processes_train_one_run()
    {
        File.WriteAllText(samples.At("recipe.yaml"), $$"""
            data: { set: cifar100, root: '{{samples.Images(train: 48, test: 10)}}', batch: 16 }
            student: { network: resnet8 }
            train: { epochs: 2, precision: fp32, sync_norm: true }
            """);
        var (code, error) =
            Run(Program, "--processes", "2", "--", "train", samples.At("recipe.yaml"), "--name", "both", "--runs", samples.Root);
        Assert.Equal((0, ""), (code, error));
        var run = RunReader.Load(Path.Combine(samples.Root, "both"));
        Assert.Equal(RunState.Finished, run.State);
        Assert.Equal([3L, 6], run.Metrics.Select(epoch => epoch.Step));
        Assert.Single(RunReader.FoldersIn(samples.Root));
    }

    [Fact]
    public void A_process_that_fails_is_named_with_its_last_lines()
    {
        var (code, error) =
            Run(["bash", "-c", "test $RANK = 0 || { echo no such file; exit 1; }; sleep 1; exit 0", "bash"], "--processes", "3", "--",
                "train", "x", "--name", "y");
        Assert.Equal(1, code);
        Assert.Matches(
            "^distill: process [12] of 3 ended with exit code 1, and the others were ended with it; its last lines:\n  no such file\n$",
            error);
    }

    [Fact]
    public void Processes_are_told_who_they_are_and_what_to_do()
    {
        const string script =
            "echo $RANK $LOCAL_RANK $WORLD_SIZE $MASTER_ADDR $DISTILL_PROCESS_TIMEOUT \"$@\" >&2; test $MASTER_PORT -gt 0 -a $RANK = 0";
        var (_, error) =
            Run(["bash", "-c", script, "bash"], "--processes", "2", "--timeout", "7", "--", "train", "recipe.yaml", "--name", "a b");
        Assert.EndsWith("  1 1 2 127.0.0.1 7 train recipe.yaml --name a b\n", error);
    }

    [Theory]
    [InlineData(
        "distill: 'distill launch' starts 'train', whose work processes can share, not 'sweep'; write: "
        + "distill launch --processes N -- train RECIPE", "--processes", "2", "--", "sweep", "x")]
    [InlineData("distill: 0 processes are none; give 1 or more", "--processes", "0", "--", "train", "x", "--name", "y")]
    [InlineData("distill: --timeout is 0; give 1 second or more", "--processes", "2", "--timeout", "0", "--", "train", "x")]
    [InlineData("distill: 'distill launch' needs --processes ('distill launch --help' shows its use)", "--", "train", "x", "--name", "y")]
    public void What_makes_no_sense_is_refused_in_a_sentence(string message, params string[] arguments)
    {
        var (code, error) = Run(["false"], arguments);
        Assert.Equal((2, message), (code, error.TrimEnd()));
    }
}
