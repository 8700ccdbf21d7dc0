using DistillSharp.Extending;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>A run that was stopped ends where one that was not ends, to the last bit.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class ResumeTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, Precision> Cases
    {
        get
        {
            var cases = new TheoryData<string, Precision>();
            foreach (var method in new[] { "ce", "kd", "crd", "fsecd", "dkd", "vid", "reviewkd" })
                foreach (var precision in new[] { Precision.Fp32, Precision.Bf16 })
                    cases.Add(method, precision);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_run_stopped_within_epochs_and_after_one_ends_as_one_never_stopped(string method, Precision precision)
    {
        var undisturbed = Train("undisturbed", method, precision);

        // In the first epoch, with the second, and in the third.
        var stopped = Train("stopped", method, precision, 2, 6, 8);

        Assert.Equal(undisturbed.Content.Keys, stopped.Content.Keys);
        foreach (var (name, value) in undisturbed.Content)
            Assert.True(value == stopped.Content[name], $"{name} differs");
        Assert.Equal(undisturbed.Metrics, stopped.Metrics);
        Assert.Equal(undisturbed.Best, stopped.Best);
        Assert.Contains(undisturbed.Content.Keys, name => name.EndsWith("running_var", StringComparison.Ordinal));
        Assert.Contains(undisturbed.Content.Keys, name => name.StartsWith("momentum.student.", StringComparison.Ordinal));
        string[] own = method switch
        {
            "crd" => [
                "objective.crd.memory_student", "objective.crd.memory_teacher", "objective.crd.z",
                "momentum.objective.crd.embed_s.linear.weight"],
            "vid" => ["objective.vid.log_scales.0", "momentum.objective.vid.regressors.0.0.weight"],
            "reviewkd" => ["objective.reviewkd.abfs.0.conv1.1.running_var", "momentum.objective.reviewkd.abfs.1.att_conv.0.weight"],
            "fsecd" => ["objective.fsecd.embed.weight", "momentum.objective.fsecd.embed.weight"],
            _ => [],
        };
        Assert.Subset(undisturbed.Content.Keys.ToHashSet(), own.ToHashSet());
    }

    public static TheoryData<string> EveryMethod => [.. Toolkit.BuiltIn.Methods.Names];

    // Whatever the method keeps, also one that is new: stopped within the epoch.
    [Theory]
    [MemberData(nameof(EveryMethod))]
    public void Every_method_is_resumed_to_the_last_bit(string method)
    {
        var state = 0;
        var undisturbed = Train("undisturbed");
        Assert.Equal(undisturbed, Train("stopped", 2));
        Assert.Equal(state, undisturbed.Keys.Count(name => name.StartsWith("objective.", StringComparison.Ordinal)));

        SortedDictionary<string, string> Train(string name, params long[] stops)
        {
            var checkpoints = new CheckpointStore(folder[name]);
            foreach (var stop in stops.Append(long.MaxValue))
            {
                using var run = new TinyTraining(
                    TinyTraining.Options() with { Epochs = 1 }, TinyTraining.Data, "resnet14", TinyTraining.Methods(method));
                Assert.Equal(stop == long.MaxValue, run.Run(checkpoints, resume: true, stop).Completed);
                state = run.Objective.State().Count();
            }
            return TinyTraining.Latest(checkpoints);
        }
    }

    [Theory]
    [InlineData(OptimizerKind.Adam)]
    [InlineData(OptimizerKind.AdamW)]
    public void Adams_state_is_resumed(OptimizerKind kind)
    {
        SortedDictionary<string, string> Train(string name, params long[] stops)
        {
            var checkpoints = new CheckpointStore(folder[name]);
            foreach (var stop in stops.Append(long.MaxValue))
            {
                using var run = new TinyTraining(TinyTraining.Options() with
                {
                    Optimizer = kind,
                    Schedule = new ConstantSchedule { BaseRate = 1e-3 },
                    DecayNorms = false,
                    ClipGradients = 1,
                    LabelSmoothing = 0.1,
                });
                run.Run(checkpoints, resume: true, stopAfter: stop);
            }
            return TinyTraining.Latest(checkpoints);
        }
        var undisturbed = Train("undisturbed");
        Assert.Contains("adam_square.student.conv1.weight", undisturbed.Keys);
        Assert.Equal(undisturbed, Train("stopped", 2, 6));
    }

    [Theory]
    [InlineData(null, new long[] { 3, 6 })]
    [InlineData(0.01, new long[] { 1, 2, 3, 4, 5, 6 })]
    [InlineData(60_000.0, new long[] { 3, 6 })]
    public void Checkpoints_are_written_within_an_epoch_as_often_as_asked(double? milliseconds, long[] expected)
    {
        var checkpoints = new CheckpointStore(folder.Path, keep: 100);
        using var run =
            new TinyTraining(
                TinyTraining.Options() with
                {
                    Epochs = 2,
                    CheckpointEvery = milliseconds is { } time ? TimeSpan.FromMilliseconds(time) : null
                });
        run.Run(checkpoints);
        Assert.Equal(expected, checkpoints.Files.Reverse().Select(file => Checkpoint.Read(file).Progress.Step));
        Assert.Equal(
            [.. expected.Select(step => (step, (int)(step % 3)))],
            checkpoints.Files.Reverse().Select(file => Checkpoint.Read(file).Progress).Select(at => (at.Step, at.Batch)));
    }

    [Fact]
    public void Another_seed_ends_elsewhere()
    {
        using var store = new TemporaryFolder();
        string Weights(long seed)
        {
            using var run = new TinyTraining(TinyTraining.Options() with { Seed = seed, Epochs = 1 });
            var checkpoints = new CheckpointStore(store[$"{seed}"]);
            run.Run(checkpoints);
            return TinyTraining.Latest(checkpoints)["student.conv1.weight"];
        }
        Assert.NotEqual(Weights(1), Weights(2));
    }

    [Fact]
    public void What_a_method_draws_follows_from_the_seed_whatever_was_drawn_before()
    {
        string Layer(ulong other)
        {
            Runtime.Seed(other);
            using var run = new TinyTraining(TinyTraining.Options() with { Epochs = 1 }, TinyTraining.Methods("crd"));
            var checkpoints = new CheckpointStore(folder[$"drawn-{other}"]);
            run.Run(checkpoints, stopAfter: 1);
            var content = TinyTraining.Latest(checkpoints);
            return content["objective.crd.embed_t.linear.weight"] + content["objective.crd.memory_teacher"] + content["student.fc.weight"];
        }
        Assert.Equal(Layer(5), Layer(6));
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused_by_name()
    {
        var checkpoints = new CheckpointStore(folder.Path);
        using (var run = new TinyTraining(Precision.Fp32)) run.Run(checkpoints, stopAfter: 1);

        using var other = new TinyTraining(Precision.Fp32, TinyTraining.Methods("crd"));
        var error = Assert.Throws<UserException>(() => other.Run(checkpoints, resume: true));
        Assert.Contains("step-000000001.safetensors: this checkpoint is not of this run", error.Message);
        Assert.Contains("objective.crd.memory_student", error.Message);
    }

    (SortedDictionary<string, string> Content, string Metrics, SortedDictionary<string, string> Best) Train(
        string name, string method, Precision precision, params long[] stops)
    {
        var checkpoints = new CheckpointStore(folder[name]);
        var metrics = new List<EpochMetrics>();
        foreach (var stop in stops.Append(long.MaxValue))
        {
            using var run = new TinyTraining(precision, TinyTraining.Methods(method));
            var result = run.Run(checkpoints, resume: true, stopAfter: stop);
            Assert.Equal(stop == long.MaxValue, result.Completed);
            Assert.Equal(Math.Min(stop, TinyTraining.Epochs * TinyTraining.StepsPerEpoch), result.Steps);
            Assert.Empty(run.Warnings);
            metrics.AddRange(run.Metrics);
        }
        Assert.Equal(Enumerable.Range(1, TinyTraining.Epochs), metrics.Select(epoch => epoch.Epoch));
        return (TinyTraining.Latest(checkpoints), TinyTraining.Text(metrics), TinyTraining.Content(Checkpoint.Read(checkpoints.BestPath)));
    }
}
