using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class TrainerTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_precision_that_the_processor_lacks_is_said_once()
    {
        using var run = new TinyTraining(Precision.Bf16);
        run.Run(stopAfter: 2);
        Assert.Equal(Runtime.HasNativeBf16 ? 0 : 1, run.Said.Count(line => line.Contains("bf16", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_epoch_is_trained_measured_and_reported_with_its_terms()
    {
        using var run = new TinyTraining(Precision.Fp32, new Kd { Weight = 0.9 }, new Fsecd());
        var result = run.Run();

        Assert.True(result.Completed);
        Assert.Equal((3, 9L), (result.Epochs, result.Steps));
        Assert.Equal(Enumerable.Range(1, 9).Select(step => (long)step), run.Steps.Select(step => step.Step));
        Assert.Equal([1, 2, 3, 1, 2, 3, 1, 2, 3], run.Steps.Select(step => step.Batch));
        Assert.All(run.Steps, step => Assert.Equal(["ce", "fsecd", "kd"], step.Terms.Select(term => term.Name).Order()));
        Assert.All(run.Steps, step => Assert.Equal(step.Loss, step.Terms.Sum(term => term.Value), 1e-12));
        // A warm-up of two steps (a third, two thirds), then a tenth after the second epoch.
        Assert.Equal(
            [0.016666667, 0.033333333, 0.05, 0.05, 0.05, 0.05, 0.005, 0.005, 0.005],
            run.Steps.Select(step => Math.Round(step.LearningRate, 9)));

        Assert.Equal([1, 2, 3], run.Metrics.Select(epoch => epoch.Epoch));
        foreach (var epoch in run.Metrics)
        {
            // The last batch has 4 images instead of 8 and counts half as much.
            var steps = run.Steps.Where(step => step.Epoch == epoch.Epoch).ToArray();
            Assert.Equal((8 * steps[0].Loss + 8 * steps[1].Loss + 4 * steps[2].Loss) / 20, epoch.Loss, 1e-9);
            Assert.Equal(epoch.Loss, epoch.Terms.Values.Sum(), 1e-9);
            Assert.Equal(steps[2].LearningRate, epoch.Lr);
            Assert.InRange(epoch.Acc1!.Value, 0, 100);
            // Five guesses of five classes say nothing.
            Assert.Null(epoch.Acc5);
        }
        Assert.Equal(run.Metrics[2].Acc1, result.Accuracy!.Value.Top1);
        Assert.Equal(run.Metrics.Max(epoch => epoch.Acc1), result.BestAcc1);
        Assert.Equal(run.Metrics.First(epoch => epoch.Acc1 == result.BestAcc1).Epoch, result.BestEpoch);
    }

    [Fact]
    public void The_student_is_measured_as_often_as_asked_and_after_the_last_epoch()
    {
        using var run = new TinyTraining(TinyTraining.Options() with { EvaluateEvery = 2 });
        run.Run();
        Assert.Equal([false, true, true], run.Metrics.Select(epoch => epoch.Acc1 is not null));
    }

    [Fact]
    public void The_teacher_is_not_changed()
    {
        using var teacher = Networks.Create("mobilenet_v2_half", 5, seed: 3);
        using var student = Networks.Create("resnet8", 5, seed: 1);
        var before = teacher.StoredState();
        using (var trainer = new Trainer(student, teacher, [new Kd()], TinyTraining.Data, TinyTraining.Options() with { Epochs = 1 }))
            trainer.Run();
        foreach (var (was, now) in before.Zip(teacher.StoredState())) Assert.True(was.Data.Span.SequenceEqual(now.Data.Span), was.Name);
    }

    [Fact]
    public void A_method_that_needs_a_teacher_says_so()
    {
        using var student = Networks.Create("resnet8", 5, seed: 1);
        Assert.Equal("kd needs a teacher, and there is none", Assert.Throws<UsageException>(
            () => new Trainer(student, null, [new Kd()], TinyTraining.Data, TinyTraining.Options())).Message);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_loss_that_is_no_number_stops_before_the_step_and_names_term_and_step(double value)
    {
        var checkpoints = new CheckpointStore(folder.Path);
        using var run = new TinyTraining(Precision.Fp32, new Poison(5, (_, _) => Tensor.Scalar(value)));
        var weights = new Dictionary<long, float[][]>();
        run.At = step => weights[step] = Parameters(run.Student);

        var error = Assert.Throws<TrainingDivergedException>(() => run.Run(checkpoints));

        Assert.Equal(("poison", 5L), (error.Term, error.Step));
        Assert.Contains($"'poison' became {value} at step 5 (epoch 2)", error.Message);
        Assert.Equal(weights[4], Parameters(run.Student));
        Assert.Single(run.Metrics);
        // What is kept is whole and from before.
        Assert.EndsWith("step-000000003.safetensors", checkpoints.Latest(Assert.Fail)!.Value.Path);
    }

    [Fact]
    public void Weights_that_a_step_of_finite_loss_ruined_reach_no_checkpoint()
    {
        var checkpoints = new CheckpointStore(folder.Path);
        // The root of 0 is finite, its slope is not.
        using var run = new TinyTraining(Precision.Fp32, new Poison(6, (logits, _) => (logits.Sum() * 0).Sqrt()));

        var error = Assert.Throws<TrainingDivergedException>(() => run.Run(checkpoints));

        Assert.Equal(6, error.Step);
        Assert.Contains("conv1.weight holds NaN or infinite values after step 6 (epoch 2)", error.Message);
        Assert.Single(run.Metrics);
        Assert.Equal(["step-000000003.safetensors"], checkpoints.Files.Select(Path.GetFileName));
    }

    [Fact]
    public void Asked_to_stop_it_ends_after_the_step_under_way_with_a_checkpoint()
    {
        var checkpoints = new CheckpointStore(folder.Path);
        using var run = new TinyTraining(Precision.Fp32);
        var result = run.Run(checkpoints, stopAfter: 4);

        Assert.Equal((false, 1, 4L), (result.Completed, result.Epochs, result.Steps));
        Assert.Equal(4, run.Steps.Count);
        var (checkpoint, path) = checkpoints.Latest(Assert.Fail)!.Value;
        Assert.EndsWith("step-000000004.safetensors", path);
        Assert.Equal((2, 1, 4L), (checkpoint.Progress.Epoch, checkpoint.Progress.Batch, checkpoint.Progress.Step));
    }

    [Fact]
    public void A_damaged_test_image_costs_no_epoch()
    {
        var (damaged, undisturbed) = (new CheckpointStore(folder["damaged"]), new CheckpointStore(folder["undisturbed"]));
        using (var run = new TinyTraining(Precision.Fp32)) run.Run(undisturbed);
        using (var run =
            new TinyTraining(TinyTraining.Options(), TinyTraining.Data with { Test = new DamagedImages(TinyTraining.Data.Test) }))
            Assert.Equal("image 7 is damaged", Assert.Throws<UserException>(() => run.Run(damaged)).Message);

        using var mended = new TinyTraining(Precision.Fp32);
        mended.Run(damaged, resume: true);
        Assert.Equal(4, mended.Steps[0].Step);
        Assert.Equal([1, 2, 3], mended.Metrics.Select(epoch => epoch.Epoch));
        Assert.Equal(TinyTraining.Latest(undisturbed), TinyTraining.Latest(damaged));
    }

    [Fact]
    public void Asked_to_stop_at_the_very_end_it_has_completed()
    {
        using var run = new TinyTraining(Precision.Fp32);
        Assert.True(run.Run(new(folder.Path), stopAfter: 9).Completed);
    }

    [Fact]
    public void A_finished_run_that_is_resumed_is_finished()
    {
        var checkpoints = new CheckpointStore(folder.Path);
        using (var run = new TinyTraining(Precision.Fp32)) run.Run(checkpoints);
        var weights = TinyTraining.Latest(checkpoints);
        using var again = new TinyTraining(Precision.Fp32);
        var result = again.Run(checkpoints, resume: true);
        Assert.Equal((true, 3, 9L), (result.Completed, result.Epochs, result.Steps));
        Assert.Empty(again.Steps);
        Assert.NotNull(result.Accuracy);
        Assert.Equal(weights, TinyTraining.Latest(checkpoints));
    }

    [Theory]
    [InlineData("ce")]
    [InlineData("kd")]
    [InlineData("crd")]
    [InlineData("fsecd")]
    [InlineData("dkd")]
    public void Nothing_stays_alive_from_step_to_step(string method)
    {
        var before = LivingTensors.Count();
        using (var run = new TinyTraining(Precision.Fp32, TinyTraining.Methods(method)))
        {
            var counts = new List<long>();
            // Between epochs the loader has no batches ready.
            run.At = step =>
            {
                if (step == 0) counts.Add(LiveTensors.Count);
            };
            run.Run(new(folder.Path));
            Assert.Equal(3, counts.Count);
            Assert.Equal(counts[0], counts[1]);
            Assert.Equal(counts[0], counts[2]);
        }
        Assert.Equal(before, LiveTensors.Count);
    }

    static float[][] Parameters(Classifier network) =>
        [.. network.NamedParameters().Select(parameter => parameter.Tensor.Detach().ToArray<float>())];

    sealed class DamagedImages(ImageSet images)
        : ImageSet(images.Height, images.Width, images.Channels, images.Labels.ToArray(), images.ClassNames)
    {
        public override ImageView Image(int index) => index == 7 ? throw new UserException("image 7 is damaged") : images.Image(index);
    }

    /// <summary>A term of 0 that becomes something else at one step.</summary>
    sealed class Poison(int at, Func<Tensor, long, Tensor> value) : DistillationMethod
    {
        int step;

        public override string Name => "poison";

        public override Features? TeacherFeatures => null;

        public override IReadOnlyList<LossTerm> Compute(DistillationStep given) =>
            [new(Name, ++step == at ? value(given.Student.Logits, step) : Tensor.Scalar(0))];
    }
}
