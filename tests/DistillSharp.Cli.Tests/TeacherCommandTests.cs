using System.Text.Json;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Tests;

public sealed class TeacherCommandTests : IDisposable
{
    readonly SampleRuns samples = new();

    public void Dispose() => samples.Dispose();

    (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var session = new Session();
        return (session.Run(CommandList.All(), [.. arguments, "--runs", samples.Root]), session.Out, session.Error);
    }

    [Fact]
    public void A_teacher_is_trained_once_kept_and_taught_from_with_a_mark_in_the_table()
    {
        var (data, folder) = (samples.Images(train: 64, test: 10), samples.At("teachers"));
        string[] scaled = ["--epochs", "1", "--set", $"data.root={data}", "--to", folder];
        var (code, output, error) = Run(["teacher", "resnet56", .. scaled, "--json"]);
        Assert.True(code == 0, error);
        var kept = JsonDocument.Parse(output).RootElement[0];
        Assert.Equal(
            ("resnet56", Path.Combine(folder, "resnet56.pth"), true),
            (kept.GetProperty("network").GetString(), kept.GetProperty("file").GetString(), kept.GetProperty("trained").GetBoolean()));
        Assert.Equal(RunState.Finished, RunReader.Load(Path.Combine(samples.Root, "teacher-resnet56")).State);

        var written = File.GetLastWriteTimeUtc(Path.Combine(folder, "resnet56.pth"));
        Assert.Equal(
            (0, $"{folder}/resnet56.pth: kept as it was\n"),
            (Run(["teacher", "teacher/resnet56", .. scaled]) is var again ? again.Code : 0, again.Out));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(folder, "resnet56.pth")));

        // Whoever learns from it says so in the table, whatever its own protocol.
        (code, _, error) =
            Run("train", "table3/resnet56-resnet20/kd", "--set", $"data.root={data}", "--set", $"teacher.weights={folder}/resnet56.pth",
                "--set", "train.epochs=1");
        Assert.True(code == 0, error);
        Assert.Contains(
            "a teacher trained with 1 epoch instead of 240, 64 of 50,000 training images, 10 of 10,000 test images", Run("table", "3").Out);
    }

    [Theory]
    [InlineData("there is no table 6; the paper's tables of results are 2, 3, 4, 5", "table6")]
    [InlineData("'resnet65' is no teacher of the paper; did you mean 'resnet56'?", "resnet65")]
    [InlineData("--set train.epochs=0: train.epochs is '0'", "resnet56", "--epochs", "0")]
    public void Wrong_use_exits_with_2(string says, params string[] arguments)
    {
        var (code, output, error) = Run(["teacher", .. arguments]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(says, error);
        Assert.False(Directory.Exists(samples.At("teachers")));
    }

    [Fact]
    public void Without_data_it_says_so()
    {
        var (code, output, error) = Run("teacher", "resnet56", "--set", "data.root=no/such", "--to", samples.At("teachers"));
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("there is no folder 'no/such' (data.root)", error);
    }
}
