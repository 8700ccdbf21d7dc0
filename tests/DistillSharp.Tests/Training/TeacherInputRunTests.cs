using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>Whole runs whose teacher takes other images than the student.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class TeacherInputRunTests
{
    static readonly TeacherInput own = new() { Mean = [.4f, .3f, .2f], Std = [.3f, .3f, .2f], Size = 64 };

    [Fact]
    public void The_teacher_is_shown_its_own_images()
    {
        var probe = new Probe();
        var options = TinyTraining.Options() with { Epochs = 1, TeacherInput = own };
        using (var run = new TinyTraining(options, probe)) run.Run();

        using var teacher = Networks.Create("mobilenet_v2_half", TinyTraining.Classes, seed: 99);
        using var frozen = new FrozenTeacher(teacher, Features.Pooled, new(64, 64));
        var loader = new BatchLoader(TinyTraining.Data.Train, own.Of(TinyTraining.Data).Normalization,
            BatchOptions.Training(options.BatchSize, options.Seed, options.Augmentation));
        var at = 0;
        foreach (var batch in loader.Epoch(1))
        {
            using var scope = TensorScope.Open();
            // The crop in its own normalization: undone, scaled as bytes, done again.
            var images =
                Tensor.Stack([.. Enumerable.Range(0, batch.Count).Select(i => Scaled(batch, i))]).Contiguous(MemoryFormat.ChannelsLast);
            var expected = frozen.Answer(Batch.Of(images, batch.Labels), images).Pooled!.ToArray<float>();
            Assert.Equal(expected, probe.Pooled[at++]);
        }
        Assert.Equal(TinyTraining.StepsPerEpoch, at);
    }

    [Fact]
    public void Its_answers_are_remembered_as_those_to_the_students_images()
    {
        var (without, with) = (Train(memory: 0, own), Train(memory: 1_000_000, own));
        Assert.Equal(without.Steps, with.Steps);
        Assert.All(without.Remembered, Assert.Null);
        Assert.True(with.Remembered[^1] > .3, $"{with.Remembered[^1]} of the images are remembered");
        Assert.NotEqual(without.Steps, Train(memory: 0, null).Steps);
    }

    [Fact]
    public void The_students_own_values_given_once_more_change_nothing()
    {
        var same = new TeacherInput { Mean = TinyTraining.Data.Mean, Std = TinyTraining.Data.Std, Size = 32 };
        Assert.Equal(Train(memory: 0, null).Steps, Train(memory: 0, same).Steps);
    }

    static (string[] Steps, List<double?> Remembered) Train(long memory, TeacherInput? input)
    {
        var options =
            TinyTraining.Options() with { Epochs = 4, Augmentation = new(new Flip()), TeacherMemory = memory, TeacherInput = input };
        using var run = new TinyTraining(options, TinyTraining.Methods("fsecd"));
        run.Run();
        return ([.. run.Steps.Select(step => string.Join(' ', step.Terms.Select(term => $"{term.Name} {term.Value:R}")))], run.Remembered);
    }

    static Tensor Scaled(Batch batch, int i)
    {
        var options = TinyTraining.Options();
        var index = (int)batch.Indices.Memory<long>()[i];
        var crop = new byte[32 * 32 * 3];
        options.Augmentation.Apply(TinyTraining.Data.Train.Image(index), options.Seed, batch.Epoch, index, 32, 32, crop);
        var pixels = new float[64 * 64 * 3];
        own.Of(TinyTraining.Data).Normalization.Apply(ImageScaling.Scale(new(crop, 32, 32, 3), new(0, 0, 32, 32), 64, 64), pixels);
        return Tensor.From(pixels, 64, 64, 3).Permute(2, 0, 1);
    }

    /// <summary>Keeps what the teacher said.</summary>
    sealed class Probe : DistillationMethod
    {
        public List<float[]> Pooled { get; } = [];

        public override Features? TeacherFeatures => Features.Pooled;

        public override string Name => "probe";

        public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
        {
            Pooled.Add(step.Teacher.Pooled!.ToArray<float>());
            return [new(Name, step.Student.Logits.Sum() * 0)];
        }
    }
}
