using System.Text.Json;
using DistillSharp.Cli.Commands;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Cli.Tests;

public sealed class RunsCommandTests : IDisposable
{
    const string Ce = "resnet20-ce-s1", Kd = "resnet56-resnet20-kd-s1", Second = "resnet56-resnet20-kd-s2";

    readonly SampleRuns samples = new();

    public RunsCommandTests()
    {
        samples.Add(SampleRuns.Distilled("ce", 1), 30, 40.5);
        samples.Add(SampleRuns.Distilled("kd", 1), 35, 45.25);
        samples.Add(SampleRuns.Distilled("kd", 2), 36, 44);
    }

    public void Dispose() => samples.Dispose();

    (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var session = new Session();
        return (session.Run([new RunsCommand()], ["runs", .. arguments, "--runs", samples.Root]), session.Out, session.Error);
    }

    static string[] Names(string json) =>
        [.. JsonDocument.Parse(json).RootElement.EnumerateArray().Select(run => run.GetProperty("name").GetString()!)];

    [Fact]
    public void List_filters()
    {
        Assert.Equal([Ce, Kd, Second], Names(Run("list", "--json").Out));
        Assert.Equal([Kd, Second], Names(Run("list", "--json", "--method", "kd").Out));
        Assert.Equal([Second], Names(Run("list", "--json", "--teacher", "resnet56", "--student", "resnet20", "--seed", "2").Out));
        Assert.Equal([Ce], Names(Run("list", "--json", "--name", "CE-s", "--dataset", "cifar100", "--state", "finished").Out));
        Assert.Equal([Kd], Names(Run("list", "--json", "--set", "train.seed=1", "--set", "methods[0].name=kd").Out));
        Assert.Empty(Names(Run("list", "--json", "--state", "failed").Out));
        var digest = JsonDocument.Parse(Run("show", Kd, "--json").Out).RootElement.GetProperty("recipe_digest").GetString()!;
        Assert.Equal([Kd], Names(Run("list", "--json", "--digest", digest[..10]).Out));
    }

    [Fact]
    public void List_shows_a_line_for_each_and_csv_a_record()
    {
        var (code, output, error) = Run("list");
        Assert.Equal((0, ""), (code, error));
        Assert.Matches($@"{Kd}\s+finished\s+cifar100\s+2/2\s+45.25\s+65.25\s+45.25\s+250\s+0:04\s+20\d\d-", output);
        var lines = Run("list", "--csv").Out.TrimEnd('\n').Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.StartsWith("name,state,dataset,", lines[0]);
        Assert.StartsWith($"{Ce},finished,cifar100,,resnet20,ce,,1,2,2,64,", lines[1]);
        Assert.Equal((0, "", $"no such run in {samples.Root}\n"), Run("list", "--method", "crd"));
    }

    [Fact]
    public void A_list_of_no_folder_is_empty_and_makes_none()
    {
        var session = new Session();
        Assert.Equal(0, session.Run([new RunsCommand()], "runs", "list", "--json", "--runs", samples.At("none")));
        Assert.Equal("[]\n", session.Out);
        session = new();
        Assert.Equal(0, session.Run([new RunsCommand()], "runs", "list", "--runs", samples.At("none")));
        Assert.Equal($"there is no folder of runs '{samples.At("none")}'; --runs names another\n", session.Error);
        Assert.False(Directory.Exists(samples.At("none")));
    }

    [Fact]
    public void Show_takes_a_name_or_a_folder()
    {
        var (code, output, _) = Run("show", Kd);
        Assert.Equal(0, code);
        Assert.Matches(@"acc1\s+45.25", output);
        Assert.Matches(@"methods\[0\].name\s+kd", output);
        Assert.Equal(output, Run("show", Path.Combine(samples.Root, Kd) + "/").Out);
        var json = JsonDocument.Parse(Run("show", Kd, "--json").Out).RootElement;
        Assert.Equal([35, 45.25], json.GetProperty("metrics").EnumerateArray().Select(epoch => epoch.GetProperty("acc1").GetDouble()));
        var csv = Run("show", Kd, "--csv").Out.Split('\n');
        Assert.Equal("epoch,step,acc1,acc5,loss,ce,lr,images_per_second,seconds", csv[0]);
        Assert.Equal("2,2,45.25,65.25,1.5,1.5,0.05,250,2", csv[2]);
    }

    [Fact]
    public void Compare_shows_what_differs()
    {
        var (code, output, _) = Run("compare", Kd, Second);
        Assert.Equal(0, code);
        Assert.Matches(@"train.seed\s+1\s+2", output);
        Assert.DoesNotContain("train.lr", output);
        Assert.Matches(@"methods\[0\].name\s+-\s+kd", Run("compare", Ce, Kd).Out);
        var json = JsonDocument.Parse(Run("compare", Kd, Second, "--json").Out).RootElement;
        Assert.Equal(["train.seed"], json.GetProperty("differences").EnumerateObject().Select(one => one.Name));
        Assert.Equal(2, json.GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public void Removed_runs_are_gone_with_their_folders()
    {
        Assert.Equal((0, $"removed {Kd}\nremoved {Ce}\n", ""), Run("remove", Kd, Path.Combine(samples.Root, Ce)));
        Assert.Equal([Second], Names(Run("list", "--json").Out));
        Assert.Equal([Second], RunReader.FoldersIn(samples.Root).Select(folder => Path.GetFileName(folder)));
    }

    [Fact]
    public void Rebuild_reads_the_folders()
    {
        File.Delete(Path.Combine(samples.Root, "runs.db"));
        Directory.Delete(Path.Combine(samples.Root, Ce), recursive: true);
        Assert.Equal((0, $"{samples.Root}/runs.db: 2 runs\n", ""), Run("rebuild"));
        Assert.Equal([Kd, Second], Names(Run("list", "--json").Out));
        File.WriteAllText(Path.Combine(samples.Root, Kd, "run.json"), "{");
        var (code, output, error) = Run("rebuild");
        Assert.Equal((1, $"{samples.Root}/runs.db: 1 run\n"), (code, output));
        Assert.StartsWith($"left out: {samples.Root}/{Kd}/run.json, line 1: not a run record", error);
    }

    [Theory]
    [InlineData(1, "there is no run named 'resnet20' in ", "show", "resnet20")]
    [InlineData(1, "there is no run named 'x' in ", "compare", Kd, "x")]
    [InlineData(1, "there is no run named 'x' in ", "remove", "x")]
    [InlineData(1, "/tmp/x is no run of ", "remove", "/tmp/x")]
    [InlineData(2, "'..' cannot be the name of a run", "remove", "..")]
    [InlineData(2, "--json and --csv contradict each other", "list", "--json", "--csv")]
    [InlineData(2, "'train.seed' is no setting; write path=value", "list", "--set", "train.seed")]
    [InlineData(2, "--state takes one of running, finished, failed, interrupted, not 'done'", "list", "--state", "done")]
    [InlineData(2, "'distill runs compare' needs RUN", "compare")]
    [InlineData(2, "a comparison is of two runs or more; give another", "compare", Kd)]
    public void Mistakes_are_one_sentence(int code, string says, params string[] arguments)
    {
        var (actual, output, error) = Run(arguments);
        Assert.Equal(code, actual);
        if (arguments.Contains("--json")) Assert.StartsWith($"{{\"error\":\"{says}", output);
        else Assert.Equal("", output);
        Assert.Contains(says, error);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    [Fact]
    public void A_folder_that_is_not_there_is_said()
    {
        var session = new Session();
        Assert.Equal(1, session.Run([new RunsCommand()], "runs", "show", "x", "--runs", samples.At("none")));
        Assert.Equal($"distill: there is no folder of runs '{samples.At("none")}'; --runs names another\n", session.Error);
        session = new Session();
        Assert.Equal(1, session.Run([new RunsCommand()], "runs", "rebuild", "--runs", samples.At("none")));
        Assert.False(Directory.Exists(samples.At("none")));
    }
}
