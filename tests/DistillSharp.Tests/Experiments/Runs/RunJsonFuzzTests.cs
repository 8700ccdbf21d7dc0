using System.Text;
using DistillSharp.Experiments.Runs;
using DistillSharp.Tests.Formats;

namespace DistillSharp.Tests.Experiments.Runs;

/// <summary>The JSON of a run's folder, damaged: read or refused, quickly and within ten times its size.</summary>
public sealed class RunJsonFuzzTests : IDisposable
{
    readonly TemporaryFolder root = new();

    public void Dispose() => root.Dispose();

    string Run()
    {
        using var run = RunFolder.Create(root.Path, Sample.Manifest(), Sample.Recipe);
        for (var epoch = 1; epoch <= 3; epoch++) run.Metrics.Append(Sample.Epoch(epoch));
        run.SetState(RunState.Failed, "the loss term \"fsecd\" became NaN");
        return run.Path;
    }

    [Fact]
    public void Damaged_records()
    {
        var path = Run();
        var record = Path.Combine(path, RunFiles.Manifest);
        var accepted = Fuzz.Run([File.ReadAllBytes(record)], file =>
        {
            File.WriteAllBytes(record, file);
            RunReader.Load(path);
        });
        Assert.InRange(accepted, 1, Fuzz.Cases - 1);
    }

    // A damaged line is no line: the log is what is left.
    [Fact]
    public void Damaged_metrics()
    {
        var metrics = Path.Combine(Run(), RunFiles.Metrics);
        var whole = File.ReadAllBytes(metrics);
        Assert.Equal(3, Encoding.UTF8.GetString(whole).Count(c => c == '\n'));
        var fewest = 3;
        Fuzz.Run([whole], file =>
        {
            File.WriteAllBytes(metrics, file);
            var read = MetricsLog.Read(metrics);
            Assert.Equal(read.Select(epoch => epoch.Epoch).Distinct().Order(), read.Select(epoch => epoch.Epoch));
            fewest = Math.Min(fewest, read.Count);
        });
        Assert.Equal(0, fewest);
    }
}
