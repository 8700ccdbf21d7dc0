using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace DistillSharp.Tests.Methods;

/// <summary>A teacher and a student by one method: bound, and trained for a step or two on small random images.</summary>
public abstract class PairTraining(PairTraining.Pair pair)
{
    const int Classes = 10, Batch = 4, Samples = 40, Steps = 2;

    static readonly string[] methods =
    [
        "ce", "kd", "fitnet", "at", "rkd", "ofd", "crd", "dkd", "fsecd-instance", "fsecd-class",
        "sp", "pkt", "nst", "vid", "reviewkd", "dist", "simkd", "srrl", "mlld", "kd-standardized", "dkd-standardized",
    ];

    /// <summary>The methods, FSECD by both policies, KD and DKD with standardized logits as well.</summary>
    protected static IEnumerable<string> Names => methods.Select(name => name.Split('-')[0]).Distinct().Order(StringComparer.Ordinal);

    // By pair (ByName keeps it so), so that each teacher looks at the images once, and each student is drawn once.
    protected static TheoryData<string, string, string> All(params (string Teacher, string Student)[] pairs)
    {
        var combinations = new TheoryData<string, string, string>();
        foreach (var (teacher, student) in pairs)
            foreach (var method in methods) combinations.Add(teacher, student, method);
        return combinations;
    }

    /// <summary>
    /// Binds and trains a student; every parameter must get a gradient in every step. Then another student and a method made anew are
    /// given the state that the others had before, as a resumed run does: their step has the same loss: to the last bit where
    /// <paramref name="exact"/>, which is not asked of networks that give other last bits from one pass to the next, as mobilenet_v3 does
    /// by libtorch's operators.
    /// </summary>
    protected void Train(string teacher, string student, string method, int steps, bool exact = true)
    {
        using var scope = TensorScope.Open();
        var (network, resumed) = pair.Students(student);
        Runtime.Seed(4);
        using var objective = Bound(network, teacher, method);
        var before = State(network, objective).Select(tensor => tensor.Clone()).ToList();
        var parameters = network.NamedParameters().Concat(objective.NamedParameters()).ToArray();
        using var optimizer = new Sgd(parameters.Select(parameter => parameter.Tensor), weightDecay: 5e-4);

        var first = new List<float>();
        for (var k = 0; k < steps; k++)
        {
            var terms = Terms(network, objective, teacher, k);
            Assert.All(terms, term => Assert.True(term.Value.AllFinite(), $"{term.Name} is {term.Value.Item()} in step {k + 1}"));
            if (k == 0) first.AddRange(terms.Select(term => (float)term.Value.Item()));
            optimizer.ZeroGrad();
            terms.Select(term => term.Value).Aggregate((sum, term) => sum + term).Backward();
            var still = parameters
                .Where(parameter => parameter.Tensor.Grad is not { } gradient || !(gradient.Abs().Max().Item() > 0))
                .Select(parameter => parameter.Name)
                .Where(name => method != "simkd" || !IsBehindLastStage(student, name));
            Assert.True(!still.Any(), $"no gradient in step {k + 1}: {string.Join(", ", still)}");
            // Untrained teachers of 110 layers show large features: from a longer step ReviewKD's attention comes back saturated.
            optimizer.Step(method == "reviewkd" ? 1e-5 : 0.01);
        }

        using var again = Bound(resumed, teacher, method);
        using (Autograd.NoGrad())
            foreach (var (tensor, kept) in State(resumed, again).Zip(before)) tensor.CopyFrom(kept);
        var resumedTerms = Terms(resumed, again, teacher, 0).Select(term => (float)term.Value.Item()).ToList();
        if (exact) Assert.Equal(first, resumedTerms);
        else Assert.All(first.Zip(resumedTerms), both => Assert.Equal(both.First, both.Second, 1e-3 * Math.Abs(both.First)));
    }

    Objective Bound(Classifier network, string teacher, string method)
    {
        var objective = new Objective(Methods(method));
        int[] labels = [.. Enumerable.Range(0, Samples).Select(i => i % Classes)];
        objective.Bind(new(PairMember.Of(network, Size(teacher)), pair.Teacher(teacher).Member, Classes, labels, Seed: 1));
        return objective;
    }

    static IEnumerable<Tensor> State(Classifier network, Objective objective) =>
        network.State().Concat(objective.State()).Select(entry => entry.Tensor);

    IReadOnlyList<LossTerm> Terms(Classifier network, Objective objective, string teacher, int step)
    {
        var outputs = pair.Teacher(teacher).Outputs;
        var output = network.Forward(Images(Size(teacher), step), objective.StudentFeatures);
        return objective.Compute(
            new(output, outputs[step], Labels(step), Tensor.Range(step * Batch, (step + 1) * Batch), Epoch: 1)
            {
                // For another view, other images will do.
                Second = objective.OfTwoViews is null ? null
                    : new(network.Forward(Images(Size(teacher), 1 - step), objective.StudentFeatures), outputs[1 - step]),
            });
    }

    static DistillationMethod[] Methods(string name) => name switch
    {
        "ce" => [],
        "fsecd-instance" => [new Fsecd { Policy = PositivePairs.Instance }],
        "fsecd-class" => [new Fsecd { Policy = PositivePairs.Class }],
        "kd-standardized" => [new Kd { Standardize = true }],
        "dkd-standardized" => [new Dkd { Standardize = true }],
        _ => [DistillationMethods.Create(name)],
    };

    // With SimKD the student's own end is not used.
    static bool IsBehindLastStage(string student, string parameter)
    {
        string[] behind = student switch
        {
            "mobilenet_v2_half" or "shufflenet_v2" => ["conv2.", "bn2.", "classifier.", "linear."],
            "wrn_16_2" or "wrn_40_1" => ["bn1.", "fc."],
            "mobilenet_v2" => ["features.18.", "classifier."],
            "mobilenet_v3_small_cifar" => ["features.12.", "classifier."],
            "mobilenet_v3_large_cifar" => ["features.16.", "classifier."],
            "efficientnet_b0_cifar" => ["features.8.", "classifier."],
            _ => ["fc.", "linear.", "classifier."],
        };
        return behind.Any(parameter.StartsWith);
    }

    static Size2 Size(string teacher) => teacher is "resnet34" or "resnet50" or "densenet121" ? 64 : 32;

    static Tensor Images(Size2 size, int step) =>
        Make.Values(step, Batch, 3, size.Height, size.Width).Contiguous(MemoryFormat.ChannelsLast);

    // Two images share a class, so that the class policy has something to do.
    static Tensor Labels(int step) => Tensor.From([step, 4L, 4L, 7L], Batch);

    /// <summary>A pair's networks, and what the teacher says of the images; only the latest of each is kept.</summary>
    public sealed class Pair : IDisposable
    {
        string? name, studentName;
        Classifier? network, student, other;
        PairMember? member;
        ClassifierOutput[] outputs = [];
        Tensor[] fresh = [];

        public (PairMember Member, ClassifierOutput[] Outputs) Teacher(string teacher)
        {
            if (teacher == name) return (member!, outputs);
            DisposeTeacher();
            network = Networks.Create(name = teacher, Classes, seed: 2);
            member = PairMember.Of(network, Size(teacher));
            network.Train(false);
            using var off = Autograd.NoGrad();
            using var scope = TensorScope.Open();
            outputs =
                [.. Enumerable.Range(0, Steps)
                    .Select(k => network.Forward(Images(Size(teacher), k), Features.Pooled | Features.Stages | Features.PreActivations))];
            foreach (var tensor in outputs.SelectMany(output => output.Tensors)) tensor.Unscoped();
            return (member, outputs);
        }

        /// <summary>A student as it was drawn, and another whose values stand for nothing.</summary>
        public (Classifier Fresh, Classifier Other) Students(string student)
        {
            using var off = Autograd.NoGrad();
            if (student != studentName)
            {
                DisposeStudents();
                this.student = Networks.Create(studentName = student, Classes, seed: 3);
                fresh = [.. this.student.State().Select(entry => entry.Tensor.Clone().Unscoped())];
                using var skipped = Initialize.Skip();
                other = Networks.Create(student, Classes);
            }
            Autograd.ClearGradients(this.student!.Parameters());
            foreach (var (entry, value) in this.student.State().Zip(fresh)) entry.Tensor.CopyFrom(value);
            return (this.student, other!);
        }

        public void Dispose()
        {
            DisposeTeacher();
            DisposeStudents();
        }

        void DisposeTeacher()
        {
            network?.Dispose();
            foreach (var tensor in outputs.SelectMany(output => output.Tensors)) tensor.Dispose();
        }

        void DisposeStudents()
        {
            student?.Dispose();
            other?.Dispose();
            foreach (var tensor in fresh) tensor.Dispose();
        }
    }
}

/// <summary>Runs a class's cases in the order of their names; xunit's own order is that of a hash.</summary>
public sealed class ByName : ITestCaseOrderer
{
    public const string Type = "DistillSharp.Tests.Methods.ByName", Assembly = "DistillSharp.Tests";

    public IEnumerable<TTestCase> OrderTestCases<TTestCase>(IEnumerable<TTestCase> testCases) where TTestCase : ITestCase =>
        testCases.OrderBy(test => test.DisplayName, StringComparer.Ordinal);
}
