using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Tests.Experiments.TensorBoard;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments.Execution;

public sealed class RunWriterTests : IDisposable
{
    readonly TemporaryFolder root = new();
    readonly List<string> warnings = [];

    public void Dispose() => root.Dispose();

    RunFolder NewRun() => RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);

    static (int Epoch, float Acc1)[] InTensorBoard(string run) =>
        [.. EventFile.Read(Assert.Single(Directory.GetFiles(run, "events.out.tfevents.*")))
            .Where(r => TensorBoardWriterTests.Scalars(r).Count > 0)
            .Select(r =>
                ((int)r.Single(f => f.Number == 2).Bits, TensorBoardWriterTests.Scalars(r).Single(s => s.Tag == "accuracy/top1").Value))];

    (int, double)[] InRegistry(string run)
    {
        using var registry = RunRegistry.Open(root.Path);
        return [.. registry.Metrics(run).Select(m => (m.Epoch, m.Acc1!.Value))];
    }

    [Fact]
    public void An_epoch_reaches_folder_registry_and_tensorboard()
    {
        using var run = NewRun();
        using (var recorder = new RunWriter(run, warnings.Add))
        {
            recorder.EpochEnded(Sample.Epoch(1, 40));
            recorder.EpochEnded(Sample.Epoch(2, 50));
            recorder.End(RunState.Finished);
        }
        Assert.Equal([(1, 40), (2, 50)], MetricsLog.Read(Path.Combine(run.Path, "metrics.jsonl")).Select(m => (m.Epoch, m.Acc1!.Value)));
        Assert.Equal([(1, 40), (2, 50)], InRegistry(run.Name));
        Assert.Equal([(1, 40), (2, 50)], InTensorBoard(run.Path));
        using var registry = RunRegistry.Open(root.Path);
        Assert.Equal(RunState.Finished, registry.Find(run.Name)!.State);
        Assert.Empty(warnings);
    }

    [Fact]
    public void A_resumed_run_has_each_epoch_once_everywhere()
    {
        using var run = NewRun();
        using (var recorder = new RunWriter(run, warnings.Add))
            foreach (var epoch in (int[])[1, 2, 3]) recorder.EpochEnded(Sample.Epoch(epoch, epoch));
        using (var recorder = new RunWriter(run, warnings.Add))
        {
            recorder.ContinueAfter(2);
            Assert.Equal([(1, 1), (2, 2)], InRegistry(run.Name));
            recorder.EpochEnded(Sample.Epoch(3, 33));
            recorder.EpochEnded(Sample.Epoch(4, 44));
        }
        Assert.Equal([1, 2, 33, 44], MetricsLog.Read(Path.Combine(run.Path, "metrics.jsonl")).Select(m => m.Acc1!.Value));
        Assert.Equal([(1, 1), (2, 2), (3, 33), (4, 44)], InRegistry(run.Name));
        Assert.Equal([(1, 1), (2, 2), (3, 33), (4, 44)], InTensorBoard(run.Path));
        Assert.Empty(warnings);
    }

    [Fact]
    public void The_trainers_start_fills_the_record_and_takes_later_epochs_back()
    {
        using var run = NewRun();
        using (var recorder = new RunWriter(run, warnings.Add))
        {
            recorder.Started(new TrainingPlan(5, 391, 64, 1, Precision.Bf16, 12_345));
            foreach (var epoch in (int[])[1, 2, 3]) recorder.EpochEnded(Sample.Epoch(epoch, epoch));
            recorder.End(RunState.Interrupted);
        }
        using (var recorder = new RunWriter(run, warnings.Add))
        {
            recorder.Started(new TrainingPlan(5, 391, 64, 3, Precision.Bf16, 12_345));
            Assert.Equal([(1, 1), (2, 2)], InRegistry(run.Name));
        }
        var record = RunReader.Load(run.Path).Manifest;
        Assert.Equal((5, 64, "bf16", 12_345), (record.Epochs, record.Batch, record.Precision, record.Parameters));
        Assert.Equal((RunState.Running, null), (record.State, record.Finished));
        Assert.Empty(warnings);
    }

    [Fact]
    public void A_registry_that_fails_is_a_warning_and_is_made_good()
    {
        Directory.CreateDirectory(root["runs.db"]);
        using var run = NewRun();
        using (var recorder = new RunWriter(run, warnings.Add))
        {
            recorder.EpochEnded(Sample.Epoch(1, 40));
            Assert.NotEmpty(warnings);
            Assert.All(warnings, w => Assert.Contains("runs.db", w));
            Directory.Delete(root["runs.db"]);
            recorder.EpochEnded(Sample.Epoch(2, 50));
        }
        Assert.Equal([(1, 40), (2, 50)], InRegistry(run.Name));
    }

    [Fact]
    public void A_run_that_the_registry_lost_is_registered_again()
    {
        using var run = NewRun();
        using var recorder = new RunWriter(run, warnings.Add);
        recorder.EpochEnded(Sample.Epoch(1, 40));
        Directory.Move(run.Path, root["elsewhere"]);
        RunRegistry.Rebuild(root.Path);
        Directory.Move(root["elsewhere"], run.Path);
        recorder.EpochEnded(Sample.Epoch(2, 50));
        Assert.Equal([(1, 40), (2, 50)], InRegistry(run.Name));
        Assert.Empty(warnings);
    }

    [Fact]
    public void Metrics_that_cannot_be_written_are_a_warning_and_are_made_good()
    {
        using var run = NewRun();
        using (var recorder = new RunWriter(run, warnings.Add))
        {
            recorder.EpochEnded(Sample.Epoch(1, 40));
            var metrics = Path.Combine(run.Path, "metrics.jsonl");
            File.Move(metrics, metrics + ".kept");
            Directory.CreateDirectory(metrics);
            recorder.EpochEnded(Sample.Epoch(2, 50));
            Assert.Contains("metrics.jsonl", Assert.Single(warnings));
            Directory.Delete(metrics);
            File.Move(metrics + ".kept", metrics);
            recorder.EpochEnded(Sample.Epoch(3, 60));
        }
        Assert.Equal([40, 50, 60], MetricsLog.Read(Path.Combine(run.Path, "metrics.jsonl")).Select(m => m.Acc1!.Value));
        Assert.Equal([(1, 40), (2, 50), (3, 60)], InRegistry(run.Name));
        Assert.Equal([(1, 40), (2, 50), (3, 60)], InTensorBoard(run.Path));
    }
}
