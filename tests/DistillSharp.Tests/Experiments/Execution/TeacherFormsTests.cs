using DistillSharp.Evaluation;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments.Execution;

/// <summary>Runs that follow several teachers, or their student's own average.</summary>
[Collection(WholeProcessCollection.Name)]
public sealed class TeacherFormsTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly Listener heard = new();

    public TeacherFormsTests()
    {
        SmallFiles.Write(folder["data"],
        [
            ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(16 * 784, 1), 16, 28, 28)),
            ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 16).Select(i => (byte)(i % 10))], 16)),
            ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(10 * 784, 2), 10, 28, 28)),
            ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 10).Select(i => (byte)i)], 10)),
        ]);
        foreach (var (name, seed) in new[] { ("resnet8", 4ul), ("resnet14", 5ul) })
        {
            using var made = Networks.Create(name, 10, seed);
            SafeTensorsFile.Write(folder[$"{name}.safetensors"], made.StoredState());
        }
    }

    public void Dispose() => folder.Dispose();

    string Several => $"[ {{ network: resnet8, weights: '{folder["resnet8.safetensors"]}', weight: 3 }}, "
        + $"{{ network: resnet14, weights: '{folder["resnet14.safetensors"]}', mean: [0.5, 0.5, 0.5], std: [0.3, 0.2, 0.4] }} ]";

    Recipe Made(string teacher, params string[] changes) => Recipe.Parse($$"""
        data: { set: fashion-mnist, root: '{{folder["data"]}}', batch: 8 }
        teacher: {{teacher}}
        student: { network: resnet8 }
        methods: [kd]
        train: { epochs: 2, lr: 0.05, schedule: constant, precision: fp32, ema: 0.5 }
        """, "test.yaml", changes);

    // Stopped after each of the given numbers of steps, and then to the end.
    ExperimentResult Train(Recipe recipe, string name, params long[] stops)
    {
        foreach (var step in stops)
        {
            using var stop = new CancellationTokenSource();
            heard.Stop = (step, stop);
            Assert.False(new Experiment(recipe, folder["runs"], heard).Run(name, resume: true, stop: stop.Token).Training.Completed);
        }
        heard.Stop = null;
        return new Experiment(recipe, folder["runs"], heard).Run(name, resume: true);
    }

    static byte[] Student(ExperimentResult result, string file = StudentFile.FileName) =>
        File.ReadAllBytes(Path.Combine(result.Folder, file));

    [Fact]
    public void Several_teach_together_and_a_resumed_run_is_the_same_to_the_last_bit()
    {
        var recipe = Made(Several);
        var result = Train(recipe, "several");
        var run = RunReader.Load(result.Folder);
        Assert.Equal((RunState.Finished, "resnet8+resnet14"), (run.State, run.Manifest.Teacher));
        Assert.Equal(["ce", "kd"], run.Metrics[0].Terms.Keys.Order());
        Assert.Equal(recipe.Digest, Recipe.Parse(run.Recipe).Digest);

        // Each is looked at by itself, and all together: what the run keeps.
        var data = recipe.LoadData();
        using var first = Networks.Create("resnet8", 10).LoadWeights(folder["resnet8.safetensors"]);
        using var second = Networks.Create("resnet14", 10).LoadWeights(folder["resnet14.safetensors"]);
        var own = data with { Mean = [.5f, .5f, .5f], Std = [.3f, .2f, .4f] };
        Assert.Contains(Line("resnet8", Accuracy.Measure(first, data.Test, data.Normalization)), heard.Lines);
        Assert.Contains(Line("resnet14", Accuracy.Measure(second, own.Test, own.Normalization)), heard.Lines);
        using var both = recipe.Teacher!.Load(data, recipe.Toolkit);
        var together = Accuracy.Measure(both, data.Test, data.Normalization);
        Assert.Contains(Line("resnet8+resnet14", together), heard.Lines);
        Assert.Equal((Math.Round(together.Top1, 4), 10), (run.Manifest.TeacherAcc1, run.Manifest.TeacherImages));

        // Three quarters of one, and one of the other as it sees the images by its own normalization.
        var outputs = MeasuredRuns.Load([result.Folder]).Runs[0].Teacher!.Logits.ToArray();
        var expected = NetworkOutputs.Of(first, data.Test, data.Normalization).Logits.ToArray()
            .Zip(NetworkOutputs.Of(second, own.Test, own.Normalization).Logits.ToArray(), (a, b) => .75 * a + .25 * b).ToArray();
        Assert.Equal(expected.Length, outputs.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], outputs[i], 1e-4 * (1 + Math.Abs(expected[i])));

        Assert.Equal(Student(result), Student(Train(recipe, "stopped", 1, 3)));
        // The weight of each counts, and so does its normalization.
        Assert.NotEqual(Student(result), Student(Train(recipe.With("teacher[0].weight=1"), "even")));
        Assert.NotEqual(Student(result), Student(Train(recipe.With("teacher[1].mean=null"), "plain")));

        static string Line(string name, Accuracy accuracy) => $"teacher {name}: Acc1 {accuracy.Top1:0.0} % on 10 test images";
    }

    [Fact]
    public void The_students_average_teaches_and_a_resumed_run_is_the_same_to_the_last_bit()
    {
        var recipe = Made("average");
        var result = Train(recipe, "own");
        var run = RunReader.Load(result.Folder);
        Assert.Equal(
            ("average", null, null), (run.Manifest.Teacher, run.Manifest.TeacherAcc1, run.Manifest.TeacherDepartures));
        Assert.Contains("teacher: the moving average of the student", heard.Lines);
        // At first it is the student itself, and then no longer.
        Assert.All(run.Metrics, epoch => Assert.True(epoch.Terms["kd"] > 0));
        Assert.Empty(heard.Warnings);

        var stopped = Train(recipe, "stopped", 1, 3);
        Assert.Equal(Student(result), Student(stopped));
        Assert.Equal(Student(result, StudentFile.AverageFileName), Student(stopped, StudentFile.AverageFileName));
        Assert.NotEqual(Student(result), Student(Train(recipe.With("methods.kd.weight=9"), "heavier")));

        var (average, _) = StudentFile.Load(Path.Combine(result.Folder, StudentFile.AverageFileName));
        var data = recipe.LoadData();
        using (average)
            Assert.Equal(
                NetworkOutputs.Of(average, data.Test, data.Normalization).Logits,
                MeasuredRuns.Load([result.Folder]).Runs[0].Teacher!.Logits);
    }

    [Fact]
    public void Another_teacher_is_another_run()
    {
        var path = Train(Made(Several), "run").Folder;
        foreach (var change in new[] { "teacher[0].weight=2", "teacher=average" })
            Assert.Contains(
                $"{path} was made from another recipe: teacher",
                Assert.Throws<UsageException>(
                    () => new Experiment(Made(Several, change), folder["runs"], heard) { Adopt = true }.Run("run", resume: true)).Message);
    }

    [Theory]
    [InlineData("teacher[1].mean=[0.5]", "the normalization of resnet14 is of 1 means and 3 deviations, but the images have 3 channels")]
    [InlineData("methods=[simkd]", "simkd needs features of the teacher")]
    public void What_cannot_teach_is_refused_and_leaves_nothing(string change, string says) => AssertRefused(Several, change, says);

    [Theory]
    [InlineData("methods=[simkd]", "the moving average of the student cannot be its teacher: the methods deploy another network")]
    public void What_the_average_cannot_teach_is_refused_and_leaves_nothing(string change, string says) =>
        AssertRefused("average", change, says);

    void AssertRefused(string teacher, string change, string says)
    {
        var error = Assert.ThrowsAny<UserException>(
            () => new Experiment(Made(teacher, change), folder["runs"], heard).Run("refused"));
        Assert.Contains(says, error.Message);
        Assert.False(Directory.Exists(folder["runs/refused"]));
    }

    sealed class Listener : TrainingObserver
    {
        public List<string> Lines { get; } = [];

        public List<string> Warnings { get; } = [];

        public (long Step, CancellationTokenSource Source)? Stop { get; set; }

        public override void Said(string message) => Lines.Add(message);

        public override void Warned(string message) => Warnings.Add(message);

        public override void Stepped(StepReport report)
        {
            if (Stop is var (step, source) && report.Step == step) source.Cancel();
        }
    }
}
