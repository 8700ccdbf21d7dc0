using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Tests.Experiments.Sweeps;

public sealed class SweepRunnerTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static IReadOnlyList<RunSpec> Specs(int epochs = 3) => Sweep.Parse(
        $"{{ pairs: [resnet56-resnet20], methods: [ce, kd, fsecd], seeds: [1, 2], set: {{ data.set: cifar100, train.epochs: {epochs} }} "
        + $"}}").Runs;

    SweepPlan Plan(int epochs = 3) => SweepPlan.Of(Specs(epochs), folder.Path);

    SweepRunner Runner(Func<RunStart, CancellationToken, Task<RunExit>>? start = null, SweepObserver? observer = null) =>
        new(start ?? ((s, stop) => FakeTraining.Start(folder.Path, s, stop)), observer) { PollInterval = TimeSpan.FromMilliseconds(10) };

    [Fact]
    public async Task What_is_missing_is_run_and_what_is_finished_skipped()
    {
        Assert.All(Plan().Entries, e => Assert.Equal((SweepState.Missing, e.Spec.Name), (e.State, e.Run)));
        Assert.All(await Runner().Run(Plan(), jobs: 2), o => Assert.Equal(SweepResult.Finished, o.Result));
        Assert.All(Plan().Entries, e => Assert.Equal(SweepState.Finished, e.State));

        var started = 0;
        var again = await Runner((_, _) => { started++; return Task.FromResult(new RunExit(0)); }).Run(Plan());
        Assert.All(again, o => Assert.Equal(SweepResult.Skipped, o.Result));
        Assert.Equal(0, started);
        Assert.Equal(6, RunReader.FoldersIn(folder.Path).Count);
    }

    // A chain of assistants, its links listed backwards: each run's teacher is the student of another.
    SweepPlan Chain()
    {
        string Link(string name, string teacher, string weights, string student)
        {
            File.WriteAllText(folder[name], $"data: {{ set: cifar100, root: '{folder.Path}' }}\n"
                + $"teacher: {{ network: {teacher}, weights: '{weights}' }}\nstudent: {{ network: {student} }}\nmethods: [kd]\n"
                + "train: { epochs: 3 }");
            return folder[name];
        }
        string Student(string run) => folder[$"runs/{run}/student.safetensors"];
        string[] links =
        [
            Link("c.yaml", "resnet20", Student("resnet32-resnet20-kd-s1"), "resnet8"),
            Link("b.yaml", "resnet32", Student("resnet56-resnet32-kd-s1"), "resnet20"),
            Link("a.yaml", "resnet56", folder["no-such.pth"], "resnet32"),
        ];
        return SweepPlan.Of(Sweep.Parse($"{{ recipes: ['{string.Join("', '", links)}'] }}").Runs, folder["runs"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_run_waits_for_the_one_that_trains_its_teacher(int jobs)
    {
        var missing = Assert.Single(Chain().MissingFiles());
        Assert.Contains("there is no file", missing);
        Assert.Contains("no-such.pth", missing);
        var order = new List<string>();
        var outcomes = await Runner(async (start, stop) =>
        {
            lock (order) order.Add(start.Run);
            await Task.Delay(20, CancellationToken.None);
            var exit = await FakeTraining.Start(folder["runs"], start, stop);
            lock (order) order.Add("done");
            return exit;
        }).Run(Chain(), jobs);
        Assert.Equal(["resnet56-resnet32-kd-s1", "done", "resnet32-resnet20-kd-s1", "done", "resnet20-resnet8-kd-s1", "done"], order);
        Assert.Equal(Chain().Entries.Select(entry => entry.Run), outcomes.Select(outcome => outcome.Entry.Run));
        Assert.All(outcomes, outcome => Assert.Equal(SweepResult.Finished, outcome.Result));
        Assert.All(await Runner().Run(Chain(), jobs), outcome => Assert.Equal(SweepResult.Skipped, outcome.Result));
    }

    [Fact]
    public async Task A_run_whose_teacher_failed_is_not_begun()
    {
        var begun = new List<string>();
        var outcomes = await Runner((start, stop) =>
        {
            begun.Add(start.Run);
            var fails = start.Run.StartsWith("resnet32", StringComparison.Ordinal);
            return FakeTraining.Start(folder["runs"], start, stop, failAfter: fails ? 1 : 9);
        }).Run(Chain());
        Assert.Equal(["resnet56-resnet32-kd-s1", "resnet32-resnet20-kd-s1"], begun);
        Assert.Equal(
            (SweepResult.Failed, "it begins with what resnet32-resnet20-kd-s1 trains, which failed"),
            (outcomes[0].Result, outcomes[0].Message));
        Assert.All(await Runner((start, stop) => FakeTraining.Start(folder["runs"], start, stop)).Run(Chain()),
            outcome => Assert.NotEqual(SweepResult.Failed, outcome.Result));
    }

    [Fact]
    public async Task The_failure_of_one_is_recorded_and_the_others_go_on()
    {
        var outcomes =
            await Runner((s, stop) => FakeTraining.Start(folder.Path, s, stop, failAfter: s.Run.Contains("fsecd") ? 1 : 99)).Run(Plan());
        Assert.Equal(2, outcomes.Count(o => o.Result == SweepResult.Failed));
        Assert.All(outcomes.Where(o => o.Result == SweepResult.Failed), o => Assert.Equal("the loss term fsecd became NaN", o.Message));
        Assert.Equal(4, outcomes.Count(o => o.Result == SweepResult.Finished));
        using (var registry = RunRegistry.Open(folder.Path))
            Assert.All(
                registry.List(new() { Method = "fsecd" }), r =>
                    Assert.Equal((RunState.Failed, "the loss term fsecd became NaN"), (r.State, r.Manifest.Failure)));

        Assert.Equal(2, Plan().Entries.Count(e => e.State == SweepState.Failed));
        var starts = new List<RunStart>();
        var again = await Runner((s, stop) => { starts.Add(s); return FakeTraining.Start(folder.Path, s, stop); }).Run(Plan());
        Assert.Equal(2, again.Count(o => o.Result == SweepResult.Finished));
        Assert.All(starts, s => Assert.True(s.Resume));
    }

    [Fact]
    public async Task A_process_that_dies_before_it_makes_its_folder_is_recorded_all_the_same()
    {
        var outcomes = await Runner((s, stop) => s.Run == "resnet20-ce-s1"
            ? Task.FromResult(new RunExit(1, "there is no file 'teachers/resnet56.pth'")) : FakeTraining.Start(folder.Path, s, stop))
                .Run(Plan());
        Assert.Equal(SweepResult.Failed, outcomes[0].Result);
        var run = RunReader.Load(folder["resnet20-ce-s1"]);
        Assert.Equal((RunState.Failed, "there is no file 'teachers/resnet56.pth'"), (run.State, run.Manifest.Failure));
        Assert.Equal(5, outcomes.Count(o => o.Result == SweepResult.Finished));
        Assert.All(await Runner().Run(Plan()), o => Assert.NotEqual(SweepResult.Failed, o.Result));
        Assert.Equal([1, 2, 3], RunReader.Load(folder["resnet20-ce-s1"]).Metrics.Select(m => m.Epoch));
    }

    [Fact]
    public async Task A_process_that_is_killed_or_lies_is_a_failure()
    {
        var outcomes = await Runner((s, _) => s.Run switch
        {
            "resnet20-ce-s1" => Task.FromResult(new RunExit(0)),
            "resnet20-ce-s2" => throw new InvalidOperationException("no such command"),
            _ => Task.FromResult(new RunExit(137)),
        }).Run(Plan());
        Assert.Equal(
            ["it ended without finishing", "no such command", "its process ended with exit code 137"],
            outcomes.Select(o => o.Message).Distinct());
    }

    [Fact]
    public async Task A_run_with_other_settings_is_never_taken_for_it()
    {
        await Runner().Run(Plan(epochs: 1));
        var plan = Plan(epochs: 2);
        Assert.All(plan.Entries, e => Assert.Equal((SweepState.Missing, e.Spec.Name + "-2"), (e.State, e.Run)));
        await Runner().Run(plan);
        Assert.Equal(12, RunReader.FoldersIn(folder.Path).Count);
        Assert.All(Plan(epochs: 1).Entries.Concat(Plan(epochs: 2).Entries), e => Assert.Equal(SweepState.Finished, e.State));
    }

    [Fact]
    public async Task Asked_to_stop_it_starts_no_more_and_resumes_later()
    {
        using var stop = new CancellationTokenSource();
        var outcomes = await Runner((s, token) => FakeTraining.Start(folder.Path, s, token, beforeEpoch: epoch =>
        {
            if (epoch == 4) stop.Cancel();
        })).Run(Plan(epochs: 10), jobs: 1, stop.Token);
        Assert.All(outcomes, o => Assert.Equal(SweepResult.Stopped, o.Result));
        Assert.Equal(SweepState.Interrupted, Plan(epochs: 10).Entries[0].State);
        Assert.Single(RunReader.FoldersIn(folder.Path));

        await Runner().Run(Plan(epochs: 10));
        Assert.All(Plan(epochs: 10).Entries, e => Assert.Equal(SweepState.Finished, e.State));
        Assert.Equal(Enumerable.Range(1, 10), RunReader.Load(folder["resnet20-ce-s1"]).Metrics.Select(m => m.Epoch));
    }

    sealed class Watcher : SweepObserver
    {
        public List<string> Waited { get; } = [];

        public override void Waiting(SweepEntry entry, int? process) => Waited.Add($"{entry.Run} {process}");
    }

    [Fact]
    public async Task A_run_that_another_process_is_at_is_waited_for()
    {
        var spec = Specs()[0];
        var watcher = new Watcher();
        var other = RunFolder.Create(folder.Path, RunManifest.Of(spec.Recipe, spec.Name), spec.RecipeText, exactName: true);
        Assert.Equal(SweepState.Running, Plan().Entries[0].State);
        var started = new List<string>();
        var sweep = Runner((s, stop) => { started.Add(s.Run); return FakeTraining.Start(folder.Path, s, stop); }, watcher).Run(Plan());
        while (watcher.Waited.Count == 0) await Task.Delay(5);
        Assert.Empty(started);
        other.SetState(RunState.Finished);
        other.Dispose();
        Assert.Equal(SweepResult.Finished, (await sweep)[0].Result);
        Assert.Equal([$"{spec.Name} {Environment.ProcessId}"], watcher.Waited);
        Assert.Equal(5, started.Count);
    }

    [Fact]
    public async Task The_time_left_comes_from_the_most_similar_measured_speed()
    {
        Assert.Equal((0, 6), (Plan().SecondsLeft, Plan().WithoutEstimate));
        await Runner((s, stop) => s.Run.StartsWith("resnet20-ce-s1", StringComparison.Ordinal)
            ? FakeTraining.Start(folder.Path, s, stop) : Task.FromResult(new RunExit(1))).Run(Plan());
        var plan = Plan();
        Assert.Equal((0, null), (plan.Entries[0].SecondsLeft, plan.Entries[0].Basis));
        // The sample's speed is 812.5 images/s: 3 epochs of 50,000 images.
        Assert.All(plan.Entries.Skip(1), e => Assert.Equal((3 * 50_000 / 812.5, "resnet20-ce-s1"), (e.SecondsLeft, e.Basis)));
        Assert.Equal(5 * 3 * 50_000 / 812.5, plan.SecondsLeft, 6);
        Assert.Equal(0, plan.WithoutEstimate);

        void Measured(Func<RunManifest, RunManifest> change)
        {
            using var measured = RunFolder.Open(folder["resnet20-ce-s1"]);
            measured.Update(change);
        }
        // The same speed on twice the cores that there are is half of theirs.
        Measured(r => r with { Threads = Environment.ProcessorCount * 2 });
        Assert.Equal(5 * 3 * 50_000 / 406.25, Plan().SecondsLeft, 6);
        // A GPU's speed says nothing of a processor's.
        Measured(r => r with { Device = "cuda" });
        Assert.Equal((0, 6), (Plan().SecondsLeft, Plan().WithoutEstimate + 1));
    }

    [Fact]
    public async Task Jobs_share_the_cores_and_none_is_refused()
    {
        var threads = new List<int>();
        await Runner((s, stop) => { lock (threads) threads.Add(s.Threads); return FakeTraining.Start(folder.Path, s, stop); })
            .Run(Plan(), jobs: 1000);
        Assert.All(threads, t => Assert.Equal(1, t));
        await Assert.ThrowsAsync<UsageException>(() => Runner().Run(Plan(), jobs: 0));
    }
}
