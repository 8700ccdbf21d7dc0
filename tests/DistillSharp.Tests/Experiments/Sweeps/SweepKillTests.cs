using System.Runtime.InteropServices;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Tests.Experiments.Sweeps;

public sealed class SweepKillTests : IDisposable
{
    public const string SweepRole = "sweep";
    public const string TrainRole = "train";

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
        var plan = SweepPlan.Of(DistillSharp.Experiments.Sweeps.Sweep.Parse(File).Runs, root);
        var process = new TrainingProcess(ChildProgram.Command, root);
        var runner = new SweepRunner(process.Start) { PollInterval = TimeSpan.FromMilliseconds(50) };
        Console.WriteLine("started");
        var outcomes = runner.Run(plan, jobs: 2).GetAwaiter().GetResult();
        foreach (var outcome in outcomes) Console.WriteLine($"{outcome.Entry.Run}: {outcome.Result} {outcome.Message}");
        return outcomes.All(o => o.Result is SweepResult.Finished or SweepResult.Skipped) ? 0 : 1;
    }

    /// <summary>The grandchild: trains one run, with the arguments of <c>distill train</c>.</summary>
    public static int Train(string[] arguments)
    {
        Assert.Equal(["--name", "--resume", "--runs"], [arguments[1], arguments[3], arguments[4]]);
        var (recipe, name, root) = (System.IO.File.ReadAllText(arguments[0]), arguments[2], arguments[5]);
        if (name.Contains("broken"))
        {
            Console.WriteLine("epoch 1 of 8");
            Console.Error.WriteLine("distill: there is no file 'teachers/resnet56.pth'\n");
            return 1;
        }
        using var stop = new CancellationTokenSource();
        using var _ = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        var finished =
            FakeTraining.Run(root, name, recipe, resume: RunReader.IsRun(Path.Combine(root, name)), napMilliseconds: 60, stop.Token);
        Console.WriteLine($"threads {Environment.ProcessorCount} {Environment.GetEnvironmentVariable("OMP_NUM_THREADS")}");
        return finished ? 0 : 1;
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
            Assert.False(
                RunReader.FoldersIn(root).Count == 12 && RunReader.FoldersIn(root).All(f => RunReader.Load(f).State == RunState.Finished),
                $"all was done before kill {kill + 1}: the test must kill at work");
        }
        using (var process = ChildProgram.Start(SweepRole, root))
        {
            var said = process.StandardOutput.ReadToEnd();
            Assert.True(process.WaitForExit(60_000));
            Assert.True(process.ExitCode == 0, said + process.StandardError.ReadToEnd());
        }

        var specs = DistillSharp.Experiments.Sweeps.Sweep.Parse(File).Runs;
        Assert.Equal(12, specs.Count);
        var folders = RunReader.FoldersIn(root).Select(RunReader.Load).ToList();
        Assert.Equal(specs.Select(s => s.Name).Order(StringComparer.Ordinal), folders.Select(f => f.Manifest.Name));
        Assert.Equal(specs.Select(s => s.Digest).Order(), folders.Select(f => f.Manifest.RecipeDigest).Order());
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

    static RunStart StartOf(string name, int epochs) => new(new RunSpec(name,
        DistillSharp.Experiments.Recipes.Recipe.Parse(
            "data: { set: cifar100 }\nstudent: { network: resnet20 }", "r", $"train.epochs={epochs}")), name, Resume: false, Threads: 1);

    [Fact]
    public async Task A_training_process_gets_its_threads_and_leaves_a_log()
    {
        var exit = await new TrainingProcess(ChildProgram.Command, folder.Path).Start(StartOf("one", 2), CancellationToken.None);
        Assert.Equal(new RunExit(0), exit);
        Assert.Equal("threads 1 1\n", System.IO.File.ReadAllText(folder[".sweeps/one.log"]));
        var run = RunReader.Load(folder["one"]);
        Assert.Equal([1, 2], run.Metrics.Select(m => m.Epoch));
        Assert.Equal((1, MachineDescription.Current), (run.Manifest.Threads, run.Manifest.Machine));
        Assert.Single(RunReader.FoldersIn(folder.Path));
    }

    [Fact]
    public async Task What_it_said_last_is_the_failure() =>
        Assert.Equal(new RunExit(1, "distill: there is no file 'teachers/resnet56.pth'"),
            await new TrainingProcess(ChildProgram.Command, folder.Path).Start(StartOf("broken", 2), CancellationToken.None));

    [Fact]
    public async Task A_command_that_does_not_exist_is_a_failure()
    {
        var exit = await new TrainingProcess(["/no/such/distill"], folder.Path).Start(StartOf("x", 2), CancellationToken.None);
        Assert.NotEqual(0, exit.Code);
        Assert.Contains("/no/such/distill", exit.Message);
    }

    [Fact]
    public async Task Asked_to_stop_it_ends_with_a_checkpoint()
    {
        using var stop = new CancellationTokenSource();
        var running = new TrainingProcess(ChildProgram.Command, folder.Path).Start(StartOf("long", 100_000), stop.Token);
        while (!System.IO.File.Exists(folder["long/checkpoints/epoch"])) await Task.Delay(10);
        stop.Cancel();
        Assert.Equal(1, (await running).Code);
        Assert.Equal(RunState.Interrupted, RunReader.Load(folder["long"]).State);
    }
}
