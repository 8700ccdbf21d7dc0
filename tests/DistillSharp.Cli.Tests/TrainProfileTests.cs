using System.Text.Json;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Tests;

public sealed class TrainProfileTests : IDisposable
{
    readonly SampleRuns samples = new();

    public void Dispose() => samples.Dispose();

    (int Code, string Out, string Error) Run(params string[] arguments)
    {
        File.WriteAllText(samples.At("r.yaml"), $$"""
            data: { set: cifar100, root: '{{samples.Images(train: 40, test: 10)}}', batch: 8 }
            student: { network: resnet8 }
            train: { epochs: 2, precision: fp32 }
            """);
        var session = new Session();
        return (session.Run(
            CommandList.All(), ["train", samples.At("r.yaml"), "--name", "profiled", .. arguments, "--runs", samples.Root]), session.Out,
            session.Error);
    }

    [Fact]
    public void A_whole_run_ends_with_a_table_of_its_steps()
    {
        var (code, output, error) = Run("--profile");
        Assert.True(code == 0, error);
        foreach (var part in new[] { "data", "teacher", "student forward", "loss", "backward", "optimizer", "other" })
            Assert.Matches($@"(?m)^\s*{part}\s+\d+\.\d\d\s+\d+\.\d %", output);
        Assert.Matches(@"(?m)^\s*whole step\s+\d+\.\d\d\s+100\.0 %", output);
        Assert.Contains("\n8 steps, ", output);
        Assert.Matches(@"libtorch's convolutions alone, for 8 images: teacher 0\.00 ms, student \d+\.\d\d ms forward and backward", output);
        Assert.Matches(@"those that a step needed come to \d+\.\d\d ms: \d+\.\d % of that limit is reached", output);
    }

    [Fact]
    public void A_run_ends_after_the_steps_asked_for_and_can_be_resumed()
    {
        var (code, output, error) = Run("--profile-steps", "2", "--json");
        Assert.True(code == 0, error);
        var profile = JsonDocument.Parse(output).RootElement.GetProperty("profile");
        Assert.Equal((2, 16), (profile.GetProperty("steps").GetInt32(), profile.GetProperty("images").GetInt32()));
        var whole = profile.GetProperty("step_milliseconds").GetDouble();
        Assert.Equal(whole, profile.GetProperty("milliseconds").EnumerateObject().Sum(part => part.Value.GetDouble()), whole * 1e-6);
        Assert.True(profile.GetProperty("convolutions").GetProperty("student_milliseconds").GetDouble() > 0);
        Assert.Equal(RunState.Interrupted, RunReader.Load(Path.Combine(samples.Root, "profiled")).State);

        (code, _, error) = Run("--resume");
        Assert.True(code == 0, error);
        Assert.Equal(RunState.Finished, RunReader.Load(Path.Combine(samples.Root, "profiled")).State);
    }

    [Fact]
    public void A_run_too_short_to_be_measured_says_so()
    {
        var (code, output, error) = Run("--profile", "--set", "data.batch=40", "--set", "train.epochs=1");
        Assert.True(code == 0, error);
        Assert.EndsWith("no profile: the first 2 steps are not counted, and there were no more\n", output);
    }

    [Fact]
    public void No_steps_cannot_be_profiled()
    {
        var (code, output, error) = Run("--profile-steps", "0");
        Assert.Equal((2, ""), (code, output));
        Assert.Contains("--profile-steps is 0; it must be 1 or more", error);
        Assert.False(Directory.Exists(samples.Root));
    }
}
