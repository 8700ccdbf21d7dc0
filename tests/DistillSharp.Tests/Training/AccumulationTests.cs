using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class AccumulationTests
{
    const int Count = 12, Side = 8, Labels = 5;

    /// <summary>A network without norms, so that images do not see each other.</summary>
    sealed class NormlessNet : Classifier
    {
        readonly Conv2d conv;
        readonly Linear classifier;

        public NormlessNet(ulong seed) : base("normless", Labels, new InputRule(Side))
        {
            Runtime.Seed(seed);
            conv = Child("conv", new Conv2d(3, 8, 3, padding: 1));
            classifier = Child("classifier", new Linear(8, Labels));
        }

        public override Linear Head => classifier;

        protected override Tensor Compute(Tensor images, FeatureTap tap)
        {
            var x = Functional.Relu(conv.Forward(images));
            tap.Stage(x, x, null);
            var pooled = Functional.GlobalAvgPool(x);
            tap.Pooled(pooled);
            return classifier.Forward(pooled);
        }
    }

    [Theory]
    [InlineData("ce", 3, false)]
    [InlineData("kd", 2, false)]
    [InlineData("kd", 12, true)]
    [InlineData("dkd", 4, false)]
    public void Parts_make_the_step_of_the_whole_batch(string method, int parts, bool mixed)
    {
        var (weights, terms) = Trained(method, 1, mixed);
        var (partly, theirs) = Trained(method, parts, mixed);
        Assert.Equal(terms.Select(term => term.Name), theirs.Select(term => term.Name));
        foreach (var (whole, part) in terms.Zip(theirs)) Assert.Equal(whole.Value, part.Value, 1e-5);
        Assert.Equal(weights.Length, partly.Length);
        for (var i = 0; i < weights.Length; i++) Assert.Equal(weights[i], partly[i], 1e-5);
        Assert.NotEqual(Trained(method, 1, mixed, steps: 1).Weights, weights);
    }

    static (double[] Weights, IReadOnlyList<(string Name, double Value)> Terms) Trained(string method, int parts, bool mixed, int steps = 3)
    {
        using var student = new NormlessNet(1);
        using var network = new NormlessNet(2);
        var options = new TrainingOptions
        {
            BatchSize = Count, Accumulate = parts, Precision = Precision.Fp32, ClipGradients = 5, WeightDecay = 1e-3,
        };
        using var objective = new Objective(TinyTraining.Methods(method));
        using var teacher = objective.TeacherFeatures is { } features ? new FrozenTeacher(network, features, Side) : null;
        var member = PairMember.Of(student, Side);
        Runtime.Seed(3);
        using var step = new TrainingStep(
            student, teacher, objective, new(member, teacher?.Member ?? member, Labels, new int[Count]), options);
        var augmentation = mixed ? new Augmentation(new Flip(), new Mixup()) : new(new Flip());
        var set = new ImageSet(SmallFiles.Bytes(Count * Side * Side * 3, 4), Side, Side, 3,
            [.. Enumerable.Range(0, Count).Select(i => i % Labels)], ["a", "b", "c", "d", "e"]);
        IReadOnlyList<(string, double)> terms = [];
        for (var epoch = 1; epoch <= steps; epoch++)
            foreach (var batch in new BatchLoader(
                set, new([.5f, .5f, .5f], [.2f, .2f, .2f]), BatchOptions.Training(Count, 7, augmentation)).Epoch(epoch))
                terms = step.Run(batch, rate: .1, epoch, epoch);
        return ([.. student.State().SelectMany(entry => entry.Tensor.ToArray<double>())], terms);
    }

    [Fact]
    public void A_run_in_parts_is_resumed_and_remembers_the_teacher()
    {
        var options = TinyTraining.Options() with { Accumulate = 2 };
        using var folder = new TemporaryFolder();
        var undisturbed = Train("undisturbed");
        Assert.Equal(undisturbed, Train("stopped", 2, 7));

        SortedDictionary<string, string> Train(string name, params long[] stops)
        {
            var checkpoints = new CheckpointStore(folder[name]);
            foreach (var stop in stops.Append(long.MaxValue))
            {
                using var run = new TinyTraining(options, new Kd());
                run.Run(checkpoints, resume: true, stop);
                Assert.All(run.Remembered, share => Assert.NotNull(share));
            }
            return TinyTraining.Latest(checkpoints);
        }
    }

    [Fact]
    public void What_does_not_come_out_even_is_refused() => Assert.Equal(
        "a batch of 8 images cannot be computed in 3 equal parts; change one of the two numbers",
        Assert.Throws<UsageException>(() => new TinyTraining(TinyTraining.Options() with { Accumulate = 3 })).Message);
}
