using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Tests.Methods;

/// <summary>
/// The paper's 13 teacher-student pairs and some with other networks, times all methods, FSECD by both policies, KD and DKD with
/// standardized logits as well: each is bound and trained for two steps, or one, on small random images.
/// </summary>
public class EveryPairTests(EveryPairTests.Teachers teachers) : IClassFixture<EveryPairTests.Teachers>
{
    const int Classes = 10, Batch = 4, Samples = 40, Steps = 2;

    static readonly (string Teacher, string Student)[] pairs =
    [
        ("wrn_40_2", "wrn_16_2"), ("wrn_40_2", "wrn_40_1"), ("resnet56", "resnet20"), ("resnet110", "resnet32"),
        ("resnet32x4", "resnet8x4"), ("vgg13", "vgg8"), ("vgg13", "mobilenet_v2_half"), ("resnet50_cifar", "mobilenet_v2_half"),
        ("resnet32x4", "shufflenet_v1"), ("resnet32x4", "shufflenet_v2"), ("wrn_40_2", "shufflenet_v1"),
        ("resnet34", "resnet18"), ("resnet50", "mobilenet_v1"),
    ];

    // Networks beside the paper's: one step each.
    static readonly (string Teacher, string Student)[] others =
    [
        ("resnet8x4", "mobilenet_v3_small_cifar"), ("resnet8x4", "mobilenet_v3_large_cifar"), ("resnet8x4", "efficientnet_b0_cifar"),
        ("resnet8x4", "convnext_atto_cifar"), ("densenet121", "mobilenet_v2"),
    ];

    static readonly string[] methods =
    [
        "ce", "kd", "fitnet", "at", "rkd", "ofd", "crd", "dkd", "fsecd-instance", "fsecd-class",
        "sp", "pkt", "nst", "vid", "reviewkd", "dist", "simkd", "srrl", "mlld", "kd-standardized", "dkd-standardized",
    ];

    // Grouped by pair, so that each teacher looks at the images once.
    public static TheoryData<string, string, string> Combinations()
    {
        var combinations = new TheoryData<string, string, string>();
        foreach (var (teacher, student) in pairs.Concat(others))
            foreach (var method in methods) combinations.Add(teacher, student, method);
        return combinations;
    }

    [Fact]
    public void No_method_is_left_out() =>
        Assert.Equal(DistillationMethods.Names, methods.Select(name => name.Split('-')[0]).Distinct().Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Combinations))]
    public void It_trains(string teacher, string student, string method)
    {
        using var scope = TensorScope.Open();
        var (guide, outputs) = teachers.Of(teacher);
        using var network = Networks.Create(student, Classes, seed: 3);
        using var objective = new Objective(Methods(method));
        objective.Bind(
            new(PairMember.Of(network, Size(teacher)), guide, Classes, Enumerable.Range(0, Samples).Select(i => i % Classes).ToArray(),
                Seed: 1));
        var parameters = network.NamedParameters().Concat(objective.NamedParameters()).ToArray();
        using var optimizer = new Sgd(parameters.Select(parameter => parameter.Tensor), weightDecay: 5e-4);

        var steps = others.Contains((teacher, student)) ? 1 : Steps;
        for (var k = 0; k < steps; k++)
        {
            var output = network.Forward(Images(Size(teacher), k), objective.StudentFeatures);
            var terms = objective.Compute(new(output, outputs[k], Labels(k), Tensor.Range(k * Batch, (k + 1) * Batch), Epoch: 1)
            {
                // For another view, other images will do.
                Second = objective.OfTwoViews is null ? null
                    : new(network.Forward(Images(Size(teacher), 1 - k), objective.StudentFeatures), outputs[1 - k]),
            });
            Assert.All(terms, term => Assert.True(term.Value.AllFinite(), $"{term.Name} is {term.Value.Item()} in step {k + 1}"));
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

    /// <summary>What the teachers say of the images; only the latest teacher is kept.</summary>
    public sealed class Teachers : IDisposable
    {
        string? name;
        Classifier? network;
        PairMember? member;
        ClassifierOutput[] outputs = [];

        public (PairMember Member, ClassifierOutput[] Outputs) Of(string teacher)
        {
            if (teacher == name) return (member!, outputs);
            Dispose();
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

        public void Dispose()
        {
            network?.Dispose();
            foreach (var tensor in outputs.SelectMany(output => output.Tensors)) tensor.Dispose();
        }
    }
}
