using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Several teachers as one, and the student's moving average as its teacher.</summary>
[Collection(WholeProcessCollection.Name)]
public class SeveralTeachersTests
{
    const int Classes = TinyTraining.Classes;

    [Fact]
    public void An_ensembles_logits_are_the_weighted_mean()
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        Classifier[] networks = [Networks.Create("resnet8", Classes, seed: 1), Networks.Create("mobilenet_v2_half", Classes, seed: 2)];
        using var ensemble = new Ensemble((networks[0], 3), (networks[1], 1));
        ensemble.Train(false);
        var images = Tensor.Rand([2, 3, 32, 32]);
        var expected = networks[0].Forward(images).Logits * .75 + networks[1].Forward(images).Logits * .25;
        var logits = ensemble.Forward(images).Logits;
        Assert.True((logits - expected).Abs().Max().Item() < 1e-5);
        Assert.Equal("resnet8+mobilenet_v2_half", ensemble.Name);
        using (ensemble.FoldNorms(32)) Assert.True((ensemble.Forward(images).Logits - expected).Abs().Max().Item() < 1e-4);

        Assert.Equal("the share of resnet8 is 0; it must be above 0",
            Assert.Throws<UsageException>(() => new Ensemble((networks[0], 0))).Message);
        using var other = Networks.Create("resnet8", 7, seed: 3);
        Assert.Equal("resnet8 tells 5 classes apart and resnet8 7: they cannot teach together",
            Assert.Throws<UsageException>(() => new Ensemble((networks[0], 1), (other, 1))).Message);
    }

    [Fact]
    public void A_network_of_another_normalization_sees_the_images_by_its_own()
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        float[] mean = [.1f, .2f, .3f], std = [.9f, .8f, .7f];
        var pixels = SmallFiles.Bytes(2 * 32 * 32 * 3, 5);
        Tensor Images(Normalization by)
        {
            var values = new float[pixels.Length];
            by.Apply(pixels, values);
            return Tensor.From(values, 2, 32, 32, 3).Permute(0, 3, 1, 2);
        }
        var network = Networks.Create("resnet8", Classes, seed: 1);
        network.Train(false);
        var expected = network.Forward(Images(new(mean, std))).Logits;
        using var renormalized = new Renormalized(network, [.5f, .4f, .3f], [.25f, .2f, .3f], mean, std);
        renormalized.Train(false);
        var given = Images(new([.5f, .4f, .3f], [.25f, .2f, .3f]));
        Assert.True((renormalized.Forward(given).Logits - expected).Abs().Max().Item() < 1e-5);
        Assert.True((network.Forward(given).Logits - expected).Abs().Max().Item() > 1e-2);
        using (renormalized.FoldNorms(32)) Assert.True((renormalized.Forward(given).Logits - expected).Abs().Max().Item() < 1e-4);
        Assert.Equal("resnet8", renormalized.Name);
    }

    [Fact]
    public void An_ensemble_teaches_by_its_logits_alone()
    {
        using var student = Networks.Create("resnet8", Classes, seed: 1);
        using var ensemble = new Ensemble(
            (Networks.Create("resnet8", Classes, seed: 5), 1), (Networks.Create("resnet20", Classes, seed: 2), 1));
        using (var trainer = new Trainer(student, ensemble, [new Kd()], TinyTraining.Data, TinyTraining.Options()))
            Assert.True(trainer.Run().Completed);
        var refusal = Assert.Throws<UserException>(
            () => new Trainer(student, ensemble, [new At()], TinyTraining.Data, TinyTraining.Options())).Message;
        Assert.StartsWith("at needs the stages of the teacher, and resnet8+resnet20 has none to show", refusal);
    }

    [Fact]
    public void A_student_learns_from_its_own_average()
    {
        using var folder = new TemporaryFolder();
        var undisturbed = Train("undisturbed");
        Assert.Equal(undisturbed, Train("stopped", 2, 6));

        SortedDictionary<string, string> Train(string name, params long[] stops)
        {
            var checkpoints = new CheckpointStore(folder[name]);
            foreach (var stop in stops.Append(long.MaxValue))
            {
                using var student = Networks.Create("resnet8", Classes, seed: 1);
                using var teacher = Networks.Create("resnet8", Classes, seed: 77);
                using var trainer = new Trainer(student, teacher, [new Kd()], TinyTraining.Data, Options);
                using var stopping = new CancellationTokenSource();
                trainer.Run(new StopAfter(stop, stopping), checkpoints, resume: true, stopping.Token);
                using (trainer.ShowAverage())
                    foreach (var (own, average) in teacher.State().Zip(student.State()))
                        Assert.True(own.Tensor.SameAs(average.Tensor), own.Name);
            }
            return TinyTraining.Latest(checkpoints);
        }
    }

    [Fact]
    public void What_cannot_follow_the_student_is_refused()
    {
        using var student = Networks.Create("resnet8", Classes, seed: 1);
        using var other = Networks.Create("resnet20", Classes, seed: 1);
        const string different = "the moving average of the student cannot be its teacher: the methods "
            + "deploy another network than the student itself";
        Assert.Equal(
            different, Assert.Throws<UsageException>(() => new Trainer(student, other, [new Kd()], TinyTraining.Data, Options)).Message);
        using var same = Networks.Create("resnet8", Classes, seed: 1);
        Assert.Equal(
            different, Assert.Throws<UsageException>(() => new Trainer(student, same, [new SimKd()], TinyTraining.Data, Options)).Message);
        Assert.Equal("the teacher is to be the moving average of the student, and none is kept; say its decay, 0.999 for example",
            Assert.Throws<UsageException>(
                () => new Trainer(student, same, [new Kd()], TinyTraining.Data, Options with { AverageDecay = null })).Message);
    }

    static TrainingOptions Options => TinyTraining.Options() with { AverageDecay = .9, TeacherIsAverage = true };

    sealed class StopAfter(long step, CancellationTokenSource stop) : TrainingObserver
    {
        public override void Stepped(StepReport report)
        {
            if (report.Step == step) stop.Cancel();
        }
    }
}
