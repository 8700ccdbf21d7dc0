using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>The moving average of the weights: its definition, what is measured of it, and that it is resumed.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class WeightAverageTests
{
    [Fact]
    public void It_is_what_its_formula_says()
    {
        using var scope = TensorScope.Open();
        var (weights, count) = (Tensor.From([1f, -2, 3]), Tensor.From([0L]));
        using var average = new WeightAverage([weights, count], .75);
        double[] expected = [1, -2, 3];
        for (var step = 1; step <= 4; step++)
        {
            weights.AddInPlace(1.0).MultiplyInPlace(1.5);
            count.AddInPlace(1L);
            average.Update();
            expected = [.. expected.Zip(weights.ToArray<double>(), (a, w) => .75 * a + .25 * w)];
        }
        foreach (var (value, wanted) in average.Averages[0].ToArray<double>().Zip(expected)) Assert.Equal(wanted, value, 1e-5);
        Assert.Equal(4, average.Averages[1].Item());

        var before = weights.ToArray<float>();
        using (average.Show()) Assert.Equal(average.Averages[0].ToArray<float>(), weights.ToArray<float>());
        Assert.Equal(before, weights.ToArray<float>());
    }

    [Theory]
    [InlineData("ce")]
    [InlineData("kd")]
    public void A_run_keeps_measures_and_resumes_it(string method)
    {
        using var folder = new TemporaryFolder();
        var options = TinyTraining.Options() with { AverageDecay = .8 };
        var undisturbed = Train("undisturbed");
        var stopped = Train("stopped", 2, 6);
        Assert.Equal(undisturbed, stopped);
        Assert.Contains(undisturbed.Keys, name =>
            name.StartsWith("average.", StringComparison.Ordinal) && name.EndsWith("running_mean", StringComparison.Ordinal));
        Assert.NotEqual(undisturbed["student.conv1.weight"], undisturbed["average.conv1.weight"]);

        // What is trained does not change by being averaged.
        var plain = Train("plain", options with { AverageDecay = null });
        foreach (var (name, value) in plain.Where(entry => entry.Key != "progress")) Assert.Equal(value, undisturbed[name]);

        SortedDictionary<string, string> Train(string name, params object[] how)
        {
            var checkpoints = new CheckpointStore(folder[name]);
            var own = how.OfType<TrainingOptions>().FirstOrDefault() ?? options;
            foreach (var stop in how.OfType<int>().Select(step => (long)step).Append(long.MaxValue))
            {
                using var run = new TinyTraining(own, TinyTraining.Methods(method));
                var result = run.Run(checkpoints, resume: true, stop);
                Assert.Equal(
                    own.AverageDecay is not null && run.Metrics.Count > 0, run.Metrics.Any(epoch => epoch.AverageAcc1 is not null));
                if (result.Completed) Assert.Equal(run.Metrics[^1].AverageAcc1, result.AverageAccuracy?.Top1);
            }
            return TinyTraining.Latest(checkpoints);
        }
    }

    [Fact]
    public void A_decay_beyond_its_bounds_is_refused() => Assert.Equal(
        "the decay of the moving average is 1; it must be from 0 to below 1",
        Assert.Throws<UsageException>(() => new TinyTraining(TinyTraining.Options() with { AverageDecay = 1 })).Message);
}
