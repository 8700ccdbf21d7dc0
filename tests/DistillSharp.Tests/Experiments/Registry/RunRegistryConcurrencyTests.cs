using System.Globalization;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Tests.Experiments.Registry;

public sealed class RunRegistryConcurrencyTests : IDisposable
{
    public const string RecordRole = "record-run";

    const int Processes = 20;
    const int Epochs = 30;

    readonly TemporaryFolder root = new();

    public void Dispose() => root.Dispose();

    /// <summary>The child: waits for the starting shot, then records a run epoch by epoch as training would.</summary>
    public static int Record(string[] arguments)
    {
        var seed = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        Console.WriteLine("ready");
        Console.In.ReadToEnd();
        using var registry = RunRegistry.Open(arguments[0]);
        using var run =
            RunFolder.Create(
                arguments[0], Sample.Manifest($"run-{seed}") with { Seed = seed, Epochs = Epochs }, Sample.Recipe, exactName: true);
        registry.Record(RunReader.Load(run.Path));
        for (var epoch = 1; epoch <= Epochs; epoch++)
        {
            run.Metrics.Append(Sample.Epoch(epoch, seed + epoch / 100.0));
            registry.Record(run.Name, Sample.Epoch(epoch, seed + epoch / 100.0));
        }
        run.SetState(RunState.Finished);
        registry.Update(run.Manifest);
        return 0;
    }

    [Fact]
    public void Twenty_processes_record_at_once_and_nothing_fails_or_is_missing()
    {
        var children = Enumerable.Range(1, Processes).Select(seed =>
            ChildProgram.Start(RecordRole, root.Path, seed.ToString(CultureInfo.InvariantCulture))).ToList();
        try
        {
            foreach (var child in children) Assert.Equal("ready", child.StandardOutput.ReadLine());
            foreach (var child in children) child.StandardInput.Close();
            // A reader meanwhile: lists must neither fail nor hold the writers up.
            using (var reader = RunRegistry.Open(root.Path))
                while (children.Any(c => !c.HasExited))
                {
                    Assert.All(reader.List(RunFilter.All), r => Assert.InRange(r.EpochsDone, 0, Epochs));
                    Thread.Sleep(50);
                }
            foreach (var child in children)
            {
                Assert.True(child.WaitForExit(60_000));
                Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
            }
        }
        finally
        {
            foreach (var child in children)
            {
                if (!child.HasExited) child.Kill();
                child.Dispose();
            }
        }

        using var registry = RunRegistry.Open(root.Path);
        var runs = registry.List(RunFilter.All);
        Assert.Equal(Enumerable.Range(1, Processes).Select(i => (long)i), runs.Select(r => r.Manifest.Seed).Order());
        foreach (var run in runs)
        {
            Assert.Equal(RunState.Finished, run.State);
            Assert.Equal(run.Manifest.Seed + Epochs / 100.0, run.FinalAcc1!.Value, 9);
            var metrics = registry.Metrics(run.Name);
            Assert.Equal(Enumerable.Range(1, Epochs), metrics.Select(m => m.Epoch));
            Assert.Equal(metrics.Select(m => m.Acc1), MetricsLog.Read(Path.Combine(run.Path, "metrics.jsonl")).Select(m => m.Acc1));
        }
    }

    [Fact]
    public void Threads_of_one_process_may_share_a_registry()
    {
        using var registry = RunRegistry.Open(root.Path);
        Parallel.For(0, 8, i =>
        {
            using var run = RunFolder.Create(root.Path, Sample.Manifest($"run-{i}"), Sample.Recipe, exactName: true);
            registry.Record(RunReader.Load(run.Path));
            for (var epoch = 1; epoch <= 20; epoch++) registry.Record(run.Name, Sample.Epoch(epoch));
        });
        Assert.Equal(8, registry.List(RunFilter.All).Count);
        Assert.All(registry.List(RunFilter.All), r => Assert.Equal(20, r.EpochsDone));
    }
}
