using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Plots;
using DistillSharp.Models;
using DistillSharp.Tests.Data;

namespace DistillSharp.Tests.Experiments.Measurement;

// Networks made by the same seed must be the same ones: nobody else may draw from libtorch's generator meanwhile.
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class MeasuredRunsTests : IDisposable
{
    readonly SmallRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void Students_and_their_one_teacher_are_run_over_the_test_images()
    {
        var data = Datasets.Cifar10(runs["data"]);
        var measured = MeasuredRuns.Load([runs.Run("one", seed: 1), runs.Run("two", seed: 2)]);

        using var student = Networks.Create("resnet8", 10, seed: 2);
        Assert.Equal(NetworkOutputs.Of(student, data.Test, data.Normalization).Logits, measured.Runs[1].Student!.Logits);
        using var teacher = Networks.Create("resnet14", 10, seed: 5);
        Assert.Equal(NetworkOutputs.Of(teacher, data.Test, data.Normalization).Logits, measured.Runs[0].Teacher!.Logits);
        Assert.Same(measured.Runs[0].Teacher, measured.Runs[1].Teacher);
        Assert.All(measured.Runs, run => Assert.Null(run.Missing));
        Assert.Equal(data.Test.Pixels, measured.Images!.Pixels);
        Assert.Equal(20, MeasuredRuns.Load([runs.Run("three", seed: 1)], images: 20).Runs[0].Student!.Count);
    }

    [Fact]
    public void What_is_not_there_is_said_and_the_rest_is_measured()
    {
        var begun = runs.Run("begun", seed: null);
        Assert.Contains("student.safetensors", Only(begun).Missing);
        var taught = runs.Run("taught", seed: 1);
        File.Delete(runs["teacher.safetensors"]);
        Assert.Contains("teacher.safetensors", Only(taught).Missing);
        Assert.NotNull(Only(taught).Student);
        Directory.Delete(runs["data"], recursive: true);
        Assert.NotNull(Only(taught).Missing);
        Assert.Null(MeasuredRuns.Load([taught]).Images);

        MeasuredRun Only(string path) => Assert.Single(MeasuredRuns.Load([path]).Runs);
    }

    [Fact]
    public void Runs_measured_on_different_images_are_refused()
    {
        var done = new Heard();
        var error =
            Assert.Throws<UsageException>(
                () => MeasuredRuns.Load([runs.Run("whole", seed: 1), runs.Run("part", seed: 1, limit: 20)], progress: done));
        // Before any network has run.
        Assert.NotEmpty(done.Steps);
        Assert.All(done.Steps, step => Assert.StartsWith("reading ", step.Work));
        Assert.Equal("whole and part were measured on different images; give runs of one data set and one data.test_limit", error.Message);
    }

    [Fact]
    public void Every_picture_can_be_drawn()
    {
        var measured = MeasuredRuns.Load([runs.Run("one", seed: 1), runs.Run("two", seed: 2)]);
        var plots = new NetworkPlots(measured);
        var tsne = plots.Tsne(new Tsne { Perplexity = 5, Iterations = 50 }, 30).Svg;
        foreach (var title in new[] { "resnet14 (teacher)", ">one<", ">two<" }) Assert.Contains(title, tsne);
        var difference = CorrelationDifference.Of(measured.Runs[1].Teacher!, measured.Runs[1].Student!).MeanAbsolute;
        Assert.Contains(FormattableString.Invariant($"two: mean |difference| {difference:F4}"), plots.Correlation().Svg);
        Assert.Contains("predicted class", plots.Confusion().Svg);
    }

    [Fact]
    public void A_picture_that_cannot_be_drawn_says_why()
    {
        var error = Assert.Throws<UserException>(() => new NetworkPlots(MeasuredRuns.Load([runs.Run("begun", seed: null)])).Correlation());
        Assert.StartsWith("begun cannot be drawn: ", error.Message);
        error = Assert.Throws<UserException>(
            () => new NetworkPlots(MeasuredRuns.Load([runs.Run("alone", seed: 1, teacher: false)])).Correlation());
        Assert.Equal("alone was trained without a teacher, so there is nothing to compare its logits with", error.Message);
        Assert.Throws<UsageException>(() => Figure.CheckEnding("picture.jpg"));
    }
}
