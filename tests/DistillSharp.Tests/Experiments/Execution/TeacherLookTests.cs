using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments.Execution;

/// <summary>A teacher is looked at before it is followed, and nothing of the training depends on it.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class TeacherLookTests : IDisposable
{
    const int TestImages = 60;

    readonly TemporaryFolder folder = new();
    readonly Heard heard = new();

    public TeacherLookTests() => SmallFiles.Write(folder["data"],
    [
        ("train-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(16 * 784, 1), 16, 28, 28)),
        ("train-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, 16).Select(i => (byte)(i % 10))], 16)),
        ("t10k-images-idx3-ubyte", SmallFiles.Idx(SmallFiles.Bytes(TestImages * 784, 2), TestImages, 28, 28)),
        ("t10k-labels-idx1-ubyte", SmallFiles.Idx([.. Enumerable.Range(0, TestImages).Select(i => (byte)(i % 10))], TestImages)),
    ]);

    public void Dispose() => folder.Dispose();

    ExperimentResult Train(
        string name, int sample = 1000, Func<string, TeacherTraining?>? known = null, bool resume = false, CancellationToken stop = default,
        params string[] overrides)
    {
        var weights = folder["teacher.safetensors"];
        if (!File.Exists(weights))
        {
            using var made = Networks.Create("resnet14", 10, seed: 4);
            SafeTensorsFile.Write(weights, made.StoredState());
        }
        var recipe = Recipe.Parse($$"""
            data: { set: fashion-mnist, root: '{{folder["data"]}}', batch: 8 }
            teacher: { network: resnet14, weights: '{{weights}}' }
            student: { network: resnet8 }
            methods: [ { name: kd } ]
            train: { epochs: 2, lr: 0.05, schedule: constant, precision: fp32 }
            """, "test.yaml", overrides);
        return new Experiment(recipe, folder["runs"], heard) { TeacherSample = sample, KnownTeacher = known }.Run(name, resume, stop: stop);
    }

    [Fact]
    public void Its_accuracy_is_said_kept_and_doubted()
    {
        var manifest = RunReader.Load(Train("run").Folder).Manifest;
        using var teacher = Networks.Create("resnet14", 10).LoadWeights(folder["teacher.safetensors"]);
        var data = Datasets.FashionMnist(folder["data"]);
        var measured = Accuracy.Measure(teacher, data.Test, data.Normalization);
        Assert.Equal((Math.Round(measured.Top1, 4), TestImages), (manifest.TeacherAcc1!.Value, manifest.TeacherImages!.Value));
        Assert.Contains($"teacher resnet14: Acc1 {measured.Top1:0.0} % on 60 test images", heard.Lines);
        // Random weights guess.
        Assert.Contains(
            heard.Warnings, line =>
                line.StartsWith(
                    $"the teacher resnet14 is right on {measured.Top1:0.0} % of 60 test images, where "
                    + "guessing is on 10 %: look at the normalization"));

        heard.Lines.Clear();
        manifest = RunReader.Load(Train("part", sample: 40).Folder).Manifest;
        Assert.Equal(40, manifest.TeacherImages);
        Assert.Contains(heard.Lines, line => line.EndsWith("% on 40 of 60 test images", StringComparison.Ordinal));
        manifest = RunReader.Load(Train("none", sample: 0).Folder).Manifest;
        Assert.Equal((null, null), (manifest.TeacherAcc1, manifest.TeacherImages));
    }

    [Fact]
    public void The_student_is_the_same_with_and_without_and_after_a_resume()
    {
        static byte[] Student(ExperimentResult result) => File.ReadAllBytes(Path.Combine(result.Folder, "student.safetensors"));
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        var whole = Student(Train("with"));
        Assert.Equal(whole, Student(Train("without", sample: 0)));
        var cut = Train("cut", stop: stopped.Token);
        Assert.Equal(1, cut.Training.Steps);
        Assert.Equal(whole, Student(Train("cut", resume: true)));
        Assert.NotNull(RunReader.Load(cut.Folder).Manifest.TeacherAcc1);
    }

    [Fact]
    public void What_its_card_says_is_compared_and_kept()
    {
        var manifest = RunReader.Load(Train("run", known: _ => new(91.5, ["6 epochs instead of 240"])).Folder).Manifest;
        Assert.Equal(["6 epochs instead of 240"], manifest.TeacherDepartures!);
        File.WriteAllText(folder["t.json"], """{"run": "teacher-resnet14", "acc1": 61.25, "departures": []}""");
        Assert.Equal(
            (61.25, 0), (TeacherCard.TrainingOf(folder["t.pth"])!.Acc1!.Value, TeacherCard.TrainingOf(folder["t.pth"])!.Departures.Count));
        Assert.Null(TeacherCard.TrainingOf(folder["other.pth"]));
    }

    [Theory]
    [InlineData(1000, 715, 100, 72.3, null)]
    [InlineData(1000, 600, 100, 72.3, "is right on 60.0 % of 1,000 test images, but its card says 72.3 %")]
    [InlineData(1000, 12, 100, 72.3, "is right on 1.2 % of 1,000 test images, where guessing is on 1 %")]
    [InlineData(1000, 19, 100, null, "where guessing is on 1 %")]
    [InlineData(1000, 25, 100, null, null)]
    [InlineData(1000, 540, 2, null, "where guessing is on 50 %")]
    [InlineData(40, 33, 10, 92.0, null)]
    [InlineData(20, 0, 10, 92.0, null)]
    public void Doubts_need_a_difference_that_is_no_chance(int images, int right, int classes, double? card, string? warning)
    {
        var said = new TeacherLook("resnet56", new(images, right, right), 10_000, classes, card).Warning;
        if (warning is null) Assert.Null(said);
        else Assert.Contains(warning, said);
    }

    [Fact]
    public void What_a_run_is_too_short_or_too_small_for_is_a_warning()
    {
        Train("short", overrides: ["methods[0].name=dkd", "data.batch=64"]);
        Assert.Contains(
            "dkd: the loss rises over 20 epochs, but the run has 2: it never comes to its full weight; give warmup a smaller number",
            heard.Warnings);
        Assert.Contains("a batch of 64 is larger than the training set of 16: every step has all its images", heard.Warnings);
        heard.Warnings.Clear();
        Train("enough", overrides: ["methods[0].name=dkd", "methods[0].warmup=2", "data.batch=16"]);
        Assert.DoesNotContain(heard.Warnings, line => line.Contains("rises") || line.Contains("batch"));
    }

    sealed class Heard : TrainingObserver
    {
        public List<string> Lines { get; } = [];

        public List<string> Warnings { get; } = [];

        public override void Said(string message) => Lines.Add(message);

        public override void Warned(string message) => Warnings.Add(message);
    }
}
