using System.Diagnostics;
using System.Runtime.Versioning;
using DistillSharp.Experiments.Runs;
using DistillSharp.Interop;
using DistillSharp.Tests;
using DistillSharp.Tests.Data;

namespace DistillSharp.Cli.Tests;

/// <summary>Ctrl-C, and <c>distill train --resume</c> afterwards.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ResumeCommandTests : IDisposable
{
    const int Epochs = 40, ManyEpochs = 4000;

    readonly TemporaryFolder folder = new();

    public ResumeCommandTests()
    {
        SmallFiles.Write(folder["data"],
        [
            ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(16 * 784, 1), 16, 28, 28)),
            ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 16).Select(i => (byte)(i % 10))], 16)),
            ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(10 * 784, 2), 10, 28, 28)),
            ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 10).Select(i => (byte)i)], 10)),
        ]);
        File.WriteAllText(folder["recipe.yaml"], $$"""
            data: { set: fashion-mnist, root: '{{folder["data"]}}', batch: 8 }
            student: { network: resnet8 }
            train: { epochs: {{Epochs}}, precision: fp32, evaluate_every: 20 }

            """);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_run_stopped_by_Ctrl_C_goes_on_by_the_command_that_it_prints_and_by_its_name()
    {
        var run = folder["runs/run"];
        var (code, said) = Interrupt("train", folder["recipe.yaml"], "--runs", folder["runs"], "--name", "run");
        Assert.Equal(1, code);
        Assert.Matches(@"stopped in epoch \d+ with a checkpoint; go on with: distill train (.*) --resume", said);
        Assert.Equal(RunState.Interrupted, RunReader.Load(run).State);
        Assert.False(File.Exists(Path.Combine(run, StudentFile.FileName)));

        // By the printed command, once more stopped; then by the recipe and the name.
        var printed =
            said[(said.IndexOf("go on with: distill ", StringComparison.Ordinal) + "go on with: distill ".Length)..].Trim().Split(' ');
        Assert.Equal(["train", run, "--resume"], printed);
        Assert.Equal(1, Interrupt(printed).Code);
        Assert.Equal(RunState.Interrupted, RunReader.Load(run).State);
        var (last, output) = Wait(Start("train", folder["recipe.yaml"], "--runs", folder["runs"], "--name", "run", "--resume"));
        Assert.True(last == 0, output);

        Assert.Equal(0, Wait(Start("train", folder["recipe.yaml"], "--runs", folder["runs"], "--name", "alone")).Code);
        var (stopped, alone) = (RunReader.Load(run), RunReader.Load(folder["runs/alone"]));
        Assert.Equal((RunState.Finished, RunState.Finished), (stopped.State, alone.State));
        Assert.Equal(Enumerable.Range(1, Epochs), stopped.Metrics.Select(epoch => epoch.Epoch));
        Assert.Equal(
            alone.Metrics.Select(epoch => (epoch.Loss, epoch.Acc1, epoch.Lr)),
            stopped.Metrics.Select(epoch => (epoch.Loss, epoch.Acc1, epoch.Lr)));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(alone.Path, StudentFile.FileName)), File.ReadAllBytes(Path.Combine(run, StudentFile.FileName)));
    }

    [Theory]
    [InlineData("HUP")]
    [InlineData("QUIT")]
    [InlineData("TERM")]
    public void Every_signal_that_ends_a_run_ends_it_after_its_step_with_a_checkpoint(string signal)
    {
        // So many epochs that it cannot have ended before the signal comes, however busy the machine.
        var (code, said) = Signal(
            signal, "train", folder["recipe.yaml"], "--runs", folder["runs"], "--name", "run", "--set", $"train.epochs={ManyEpochs}");
        Assert.Equal(1, code);
        Assert.Contains("with a checkpoint; go on with: distill train", said);
        var run = RunReader.Load(folder["runs/run"]);
        Assert.Equal(RunState.Interrupted, run.State);
        Assert.NotNull(run.Manifest.Finished);
        Assert.InRange(run.Metrics.Count, 2, ManyEpochs - 1);
        var checkpoint =
            Directory.GetFiles(folder["runs/run/checkpoints"], "step-*.safetensors")
                .Select(file => Path.GetFileNameWithoutExtension(file)["step-".Length..]).Max()!;
        // Every step that was done is kept, not those of whole epochs alone.
        Assert.True(long.Parse(checkpoint) >= run.Metrics[^1].Step, $"checkpoint {checkpoint}, epochs up to step {run.Metrics[^1].Step}");
    }

    (int Code, string Said) Interrupt(params string[] arguments) => Signal("INT", arguments);

    // A signal once two more epochs have ended.
    (int Code, string Said) Signal(string signal, params string[] arguments)
    {
        using var process = Start(arguments);
        var metrics = folder["runs/run/metrics.jsonl"];
        int Lines() => File.Exists(metrics) ? File.ReadAllLines(metrics).Length : 0;
        var wanted = Lines() + 2;
        while (!process.HasExited && Lines() < wanted) Thread.Sleep(5);
        using (var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"])) kill.WaitForExit();
        return Wait(process);
    }

    // The program as it is built: the copy beside the tests lacks what only a program needs.
    static readonly string program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../Distill", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
            "distill.dll"));

    static Process Start(params string[] arguments) =>
        Process.Start(
            new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    static (int Code, string Said) Wait(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.Length > 0 ? output : error.Result);
    }
}
