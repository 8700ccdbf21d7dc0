using System.Diagnostics;
using DistillSharp.Runs;
using DistillSharp.Runs.Sweeps;

namespace DistillSharp.Tests.Runs.Sweeps;

public sealed class SweepKillTests : IDisposable
{
    public const string SweepRole = "sweep";
    public const string TrainRole = "sweep-train";

    const string File = """
        pairs: [resnet56-resnet20, resnet32x4-resnet8x4]
        methods: [ce, kd, fsecd]
        seeds: [1, 2]
        set: { data.set: cifar100, data.train_limit: 500, train.epochs: 8 }
        """;

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>The child: runs the sweep, each run as a process of its own.</summary>
    public static int Sweep(string[] arguments)
    {
        var root = arguments[0];
        var plan = SweepPlan.Of(DistillSharp.Runs.Sweeps.Sweep.Parse(File).Runs, root);
        var runner = new SweepRunner(async (start, stop) =>
        {
            var recipe = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.yaml");
            await System.IO.File.WriteAllTextAsync(recipe, start.Spec.RecipeText, stop);
            using var process = ChildProgram.Start(TrainRole, root, start.Run, recipe, start.Resume ? "resume" : "new");
            var said = await process.StandardError.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            return new RunExit(process.ExitCode, said.Trim());
        })
        { PollInterval = TimeSpan.FromMilliseconds(50) };
        Console.WriteLine("started");
        var outcomes = runner.Run(plan, jobs: 2).GetAwaiter().GetResult();
        foreach (var outcome in outcomes) Console.WriteLine($"{outcome.Entry.Run}: {outcome.Result} {outcome.Message}");
        return outcomes.All(o => o.Result is SweepResult.Finished or SweepResult.Skipped) ? 0 : 1;
    }

    /// <summary>The grandchild: trains one run.</summary>
    public static int Train(string[] arguments)
    {
        var recipe = System.IO.File.ReadAllText(arguments[2]);
        System.IO.File.Delete(arguments[2]);
        FakeTraining.Run(arguments[0], arguments[1], recipe, arguments[3] == "resume", napMilliseconds: 60);
        return 0;
    }

    [Fact]
    public void Killed_ten_times_the_sweep_ends_complete_with_every_run_once()
    {
        var root = folder["runs"];
        var random = new Random(20230513);
        for (var kill = 0; kill < 10; kill++)
        {
            using var process = ChildProgram.Start(SweepRole, root);
            Assert.Equal("started", process.StandardOutput.ReadLine());
            Thread.Sleep(random.Next(0, 700));
            // Alone, so that its runs live on as orphans, or with them.
            process.Kill(entireProcessTree: kill % 3 > 0);
            process.WaitForExit();
            Assert.False(StoredRun.FoldersIn(root).Count == 12 && StoredRun.FoldersIn(root).All(f => StoredRun.Load(f).State == RunState.Finished),
                $"all was done before kill {kill + 1}: the test must kill at work");
        }
        var watch = Stopwatch.StartNew();
        using (var process = ChildProgram.Start(SweepRole, root))
        {
            var said = process.StandardOutput.ReadToEnd();
            Assert.True(process.WaitForExit(60_000));
            Assert.True(process.ExitCode == 0, said + process.StandardError.ReadToEnd());
        }
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2));

        var specs = DistillSharp.Runs.Sweeps.Sweep.Parse(File).Runs;
        Assert.Equal(12, specs.Count);
        var folders = StoredRun.FoldersIn(root).Select(StoredRun.Load).ToList();
        Assert.Equal(specs.Select(s => s.Name).Order(StringComparer.Ordinal), folders.Select(f => f.Record.Name));
        Assert.Equal(specs.Select(s => s.Digest).Order(), folders.Select(f => f.Record.RecipeDigest).Order());
        Assert.All(folders, run =>
        {
            Assert.Equal(RunState.Finished, run.State);
            var lines = System.IO.File.ReadAllLines(Path.Combine(run.Path, "metrics.jsonl"));
            Assert.Equal(Enumerable.Range(1, 8), run.Metrics.Select(m => m.Epoch));
            Assert.Equal(8, lines.Length);
        });
        using var registry = RunRegistry.Open(root);
        Assert.Equal(12, registry.List(new() { State = RunState.Finished }).Count);
        Assert.All(registry.List(RunFilter.All), r => Assert.Equal(8, r.EpochsDone));
    }
}
