using System.Diagnostics;
using System.Text.Json;
using DistillSharp.Cli.Commands;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Models;

namespace DistillSharp.Cli.Tests;

public sealed class SweepCommandTests : IDisposable
{
    const int Epochs = 4;

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

    string Sweep(string text)
    {
        File.WriteAllText(samples.At("sweep.yaml"), text);
        return samples.At("sweep.yaml");
    }

    (int Code, string Out, string Error) Run(params string[] arguments)
    {
        var session = new Session();
        return (session.Run([new SweepCommand(Program)], ["sweep", .. arguments, "--runs", samples.Root]), session.Out, session.Error);
    }

    [Fact]
    public void A_dry_run_lists_what_is_to_do_and_for_how_long()
    {
        samples.Add(SampleRuns.Distilled("ce", 1), 30, 40.5);
        var sweep = Sweep($"""
            pairs: [resnet56-resnet20]
            teachers: {samples.Root}/{"{teacher}"}.pth
            methods: [ce, kd]
            seeds: [1, 2]
            set: {"{"} data.set: cifar100, data.root: {samples.At(".")}, train.precision: fp32 {"}"}
            """);
        var (code, output, error) = Run(sweep, "--dry-run", "--epochs", "5", "--set", "data.train_limit=1000");
        Assert.Equal(0, code);
        // 5 epochs of 1,000 images at the 250 images/s of the run that is there: on the same machine, on all its cores.
        Assert.Matches(@"resnet20-ce-s2\s+missing\s+0/5\s+0:20\s+resnet20-ce-s1", output);
        Assert.Contains("\n4 runs: 4 missing; about 1:20 of training left, at the images/s measured here\n", output);
        Assert.Equal(1, error.Split('\n').Count(line => line.Contains("resnet56.pth")));
        Assert.StartsWith("warning: ", error);
        Assert.Single(RunReader.FoldersIn(samples.Root));

        var entries = JsonDocument.Parse(Run(sweep, "--dry-run", "--json", "--epochs", "3").Out).RootElement.EnumerateArray().ToList();
        Assert.Equal(
            ["resnet20-ce-s1-2", "resnet20-ce-s2", "resnet56-resnet20-kd-s1", "resnet56-resnet20-kd-s2"],
            entries.Select(entry => entry.GetProperty("name").GetString()));
        Assert.All(entries, entry => Assert.Equal(3, entry.GetProperty("epochs").GetInt32()));
        Assert.Equal(600, entries[0].GetProperty("seconds_left").GetDouble());
    }

    [Fact]
    public void Without_any_speed_no_time_is_made_up()
    {
        var (_, output, _) = Run(Sweep("recipes: [table3/resnet56-resnet20/*]"), "--dry-run");
        Assert.Contains("\n9 runs: 9 missing; no time is known: none of these students was ever trained on this machine\n", output);
        Assert.False(Directory.Exists(samples.Root));
    }

    [Fact]
    public void One_failure_is_recorded_and_the_others_go_on()
    {
        var sweep = Sweep($"""
            pairs: [resnet14-resnet8]
            teachers: {samples.At("none")}/{"{teacher}"}.pth
            methods: [kd, ce]
            set: {"{"} data.set: cifar100, data.root: {samples.Images(train: 20, test: 4)}, data.batch: 10 {"}"}
            """);
        var (code, output, error) = Run(sweep, "--epochs", "1");
        Assert.Equal(1, code);
        Assert.Matches(@"resnet8-ce-s1\s+finished\s+1/1\s+\d+\.\d\d", output);
        Assert.Contains("2 runs: 1 finished, 1 failed", output);
        Assert.Contains("failed: resnet14-resnet8-kd-s1: ", error);
        Assert.Contains("resnet14.pth", error);
        Assert.Equal(
            [RunState.Finished, RunState.Failed],
            RunRegistry.ListIn(samples.Root).OrderBy(run => run.Name.Length).Select(run => run.State));

        // Once the teacher is there, only the failed run is trained.
        Directory.CreateDirectory(samples.At("none"));
        using (var teacher = Networks.Create("resnet14", 100, seed: 1))
            PyTorchFile.Write(samples.At("none/resnet14.pth"), teacher.StoredState());
        var begun = File.GetLastWriteTimeUtc(Path.Combine(samples.Root, "resnet8-ce-s1/metrics.jsonl"));
        (code, output, error) = Run(sweep, "--epochs", "1", "--json");
        Assert.True(code == 0, error);
        Assert.Equal(
            ["finished", "skipped"],
            JsonDocument.Parse(output).RootElement.EnumerateArray().Select(run => run.GetProperty("result").GetString()));
        Assert.Equal(begun, File.GetLastWriteTimeUtc(Path.Combine(samples.Root, "resnet8-ce-s1/metrics.jsonl")));
    }

    [Fact]
    public async Task Killed_ten_times_it_ends_complete_with_every_run_once_and_fills_table_3()
    {
        Directory.CreateDirectory(samples.At("teachers"));
        foreach (var name in new[] { "resnet56", "resnet110" })
            using (var teacher = Networks.Create(name, 100, seed: 1))
                PyTorchFile.Write(samples.At($"teachers/{name}.pth"), teacher.StoredState());
        var sweep = Sweep($"""
            pairs: [resnet56-resnet20, resnet110-resnet32]
            teachers: {samples.At("teachers")}/{"{teacher}"}.pth
            methods: [ce, kd, fsecd]
            seeds: [1, 2]
            set: {"{"} data.set: cifar100, data.root: {samples.Images(train: 48, test: 10)}, data.batch: 16,
                train.epochs: {Epochs}, train.precision: fp32 {"}"}
            """);
        var random = new Random(20230513);
        for (var kill = 0; kill < 10; kill++)
        {
            using var process = Start(sweep);
            // The sweep has begun when it tells of its first run.
            Assert.NotNull(await process.StandardError.ReadLineAsync());
            await Task.Delay(random.Next(0, 2500));
            // Alone, so that its runs live on as orphans, or with them.
            process.Kill(entireProcessTree: kill % 4 > 0);
            await process.WaitForExitAsync();
        }
        var finished = Finished();
        Assert.True(finished < 12, "all was done before the last kill: the test must kill at work");

        using (var process = Start(sweep))
        {
            var error = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, output + await error);
            Assert.Contains("12 runs: 12 finished", output);
        }

        var folders = RunReader.FoldersIn(samples.Root).Select(RunReader.Load).ToList();
        Assert.Equal(12, folders.Count);
        Assert.Equal(12, folders.Select(run => run.Manifest.RecipeDigest).Distinct().Count());
        Assert.All(folders, run =>
        {
            Assert.Equal(RunState.Finished, run.State);
            Assert.Equal(Enumerable.Range(1, Epochs), run.Metrics.Select(metrics => metrics.Epoch));
            Assert.Equal(Epochs, File.ReadAllLines(Path.Combine(run.Path, "metrics.jsonl")).Length);
            Assert.True(File.Exists(Path.Combine(run.Path, "student.safetensors")));
        });
        Assert.Equal(12, RunRegistry.ListIn(samples.Root, new() { State = RunState.Finished }).Count);
        Assert.All(RunRegistry.ListIn(samples.Root), run => Assert.Equal(Epochs, run.EpochsDone));

        var session = new Session();
        Assert.Equal(0, session.Run([new TableCommand()], "table", "3", "--format", "md", "--runs", samples.Root));
        var rows = session.Out.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray()).ToList();
        var (papers, ours) =
            (rows.SelectMany(row => row[1..].Where((_, i) => i % 2 == 0)).ToList(),
                rows.SelectMany(row => row[1..].Where((_, i) => i % 2 == 1)).ToList());
        Assert.Equal(54, papers.Count);
        Assert.All(papers, cell => Assert.Matches(@"^\d\d\.\d\d$", cell));
        Assert.Equal(6, ours.Count(cell => cell.Length > 0));
        Assert.All(ours.Where(cell => cell.Length > 0), cell => Assert.Matches(@"^\d+\.\d\d ± \d+\.\d\d \(2\) †\d+( ‡\d+)?$", cell));
        Assert.Equal(["CE", "KD", "FSECD"], rows.Where(row => row[2].Length > 0 && row[4].Length > 0).Select(row => row[0].Split(' ')[0]));
    }

    int Finished() => RunReader.FoldersIn(samples.Root).Count(folder => RunReader.Load(folder).State == RunState.Finished);

    Process Start(string sweep) =>
        Process.Start(new ProcessStartInfo(Program[0], [.. Program[1..], "sweep", sweep, "--jobs", "2", "--runs", samples.Root])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    [Theory]
    [InlineData(1, "cannot read the sweep 'no.yaml': the file does not exist", "no.yaml")]
    [InlineData(2, ": a sweep has no 'pair'; did you mean 'pairs'?", "SWEEP")]
    [InlineData(2, "--jobs takes a whole number, not 'two'", "SWEEP", "--jobs", "two")]
    public void Mistakes_are_one_sentence(int code, string says, params string[] arguments)
    {
        var sweep = Sweep("pair: [resnet56-resnet20]");
        var (actual, output, error) = Run([.. arguments.Select(argument => argument == "SWEEP" ? sweep : argument)]);
        Assert.Equal((code, ""), (actual, output));
        Assert.Contains(says, error);
    }

    [Fact]
    public void No_run_at_a_time_is_refused()
    {
        var (code, _, error) = Run(Sweep("recipes: [table3/resnet56-resnet20/ce]"), "--jobs", "0");
        Assert.Equal(2, code);
        Assert.Contains("0 runs side by side are none; give at least 1", error);
    }
}
