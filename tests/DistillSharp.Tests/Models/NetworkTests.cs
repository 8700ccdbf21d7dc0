using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Tests.Models;

/// <summary>What holds for every network, tried on one of each form: small ones, so that the tests stay quick.</summary>
public class NetworkTests(NetworkTests.FreshNetworks drawn) : IClassFixture<NetworkTests.FreshNetworks>
{
    const Features All = Features.Pooled | Features.Stages | Features.PreActivations;

    public static TheoryData<string> Forms =>
    [
        "mobilenet_v1", "mobilenet_v2_half", "resnet8", "resnet8x4", "resnet18", "resnet18_cifar", "resnet50",
        "shufflenet_v1", "shufflenet_v2", "vgg8", "vgg13", "wrn_16_1", "wrn_16_2",
        "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large_cifar", "efficientnet_b0_cifar", "convnext_atto_cifar",
    ];

    [Fact]
    public void Every_network_of_the_paper_is_there_in_order()
    {
        string[] expected =
        [
            "mobilenet_v1", "mobilenet_v2_half",
            "resnet101", "resnet110", "resnet14", "resnet18", "resnet18_cifar", "resnet20", "resnet32", "resnet32x4", "resnet34",
            "resnet34_cifar", "resnet44", "resnet50", "resnet50_cifar", "resnet56", "resnet8", "resnet8x4",
            "shufflenet_v1", "shufflenet_v2", "vgg11", "vgg13", "vgg16", "vgg19", "vgg8",
            "wrn_16_1", "wrn_16_2", "wrn_40_1", "wrn_40_2",
        ];
        Assert.Equal(expected, Networks.Names.Where(expected.Contains));
    }

    // Those without a reference case; the numbers follow from the tables of the papers.
    [Theory]
    [InlineData("resnet101", 1000, 44_549_160)]
    [InlineData("resnet18_cifar", 100, 11_220_132)]
    [InlineData("resnet34_cifar", 100, 21_328_292)]
    [InlineData("vgg11", 100, 9_277_284)]
    [InlineData("vgg16", 100, 14_774_436)]
    [InlineData("vgg19", 100, 20_086_692)]
    public void Parameters_are_as_many_as_the_papers_say(string name, int classes, long expected)
    {
        using var unset = Initialize.Skip();
        using var network = Networks.Create(name, classes);
        Assert.Equal(expected, network.ParameterCount);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_parameter_gets_a_gradient(string name)
    {
        using var scope = TensorScope.Open();
        using var network = drawn.Create(name);
        var loss = Functional.CrossEntropy(network.Forward(Images(4, 32, 32)).Logits, Tensor.From(new long[] { 3, 1, 4, 1 }));
        loss.Backward();
        Assert.All(network.NamedParameters(), parameter =>
        {
            var gradient = parameter.Tensor.Grad;
            Assert.True(gradient is not null, $"{parameter.Name} has no gradient");
            Assert.True(gradient.AllFinite(), $"the gradient of {parameter.Name} is not finite");
            Assert.True(gradient.Abs().Max().Item() > 0, $"the gradient of {parameter.Name} is zero");
        });
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Asking_for_features_changes_neither_logits_nor_state(string name)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        using var network = drawn.Create(name);
        var images = Images(2, 32, 32);
        var fresh = Copy(network);

        var plain = network.Forward(images).Logits;
        var plainState = Copy(network);
        foreach (var (entry, before) in network.State().Zip(fresh)) entry.Tensor.CopyFrom(before.Tensor);
        var featured = network.Forward(images, All).Logits;

        AssertClose(plain, featured, 1e-5);
        Assert.All(network.State().Zip(plainState), pair => AssertClose(pair.Second.Tensor, pair.First.Tensor, 1e-5));
        // Wide residual networks in the public code update some of these twice.
        Assert.All(network.State().Where(entry => entry.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal)),
            entry => Assert.Equal(1, entry.Tensor.Item()));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_stage_norm_is_the_last_one_before_its_pre_activation(string name)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        using var network = drawn.Create(name);
        network.Train(false);
        var images = Images(1, 32, 32);
        var before = network.Forward(images, All);
        var norms = network.Describe(32).Norms;
        Assert.Equal(before.PreActivations!.Count, norms.Count);

        for (var i = 0; i < norms.Count; i++)
        {
            if (norms[i] is not { } norm) continue;
            var preActivation = before.PreActivations[i];
            Assert.Equal(preActivation.Size(1), norm.Channels);
            norm.Bias.AddInPlace(0.5);
            var shifted = network.Forward(images, All).PreActivations![i];
            // A stem is shown activated in both lists: there the shift shows only where the ReLU lets it through.
            AssertClose(preActivation == before.Stages![i] ? Functional.Relu(shifted) : preActivation + 0.5, shifted, 1e-5);
            Assert.True((shifted - preActivation).Abs().Max().Item() > 0.4);
            norm.Bias.AddInPlace(-0.5);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Channels_last_images_give_channels_last_stages(string name)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        using var network = drawn.Create(name);
        network.Train(false);
        var output = network.Forward(Images(2, 64, 64).Contiguous(MemoryFormat.ChannelsLast), All);
        Assert.All(output.Stages!.Concat(output.PreActivations!), stage => Assert.True(stage.Permute(0, 2, 3, 1).IsContiguous));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Odd_sizes_and_a_thousand_classes_work(string name)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        using var network = Networks.Create(name, 1000);
        Assert.Equal(1000, network.Classes);
        foreach (var (height, width) in new[] { (33, 47), (9, 70) })
        {
            var output = network.Forward(Images(2, height, width), All);
            Assert.Equal([2, 1000], output.Logits.Shape);
            Assert.Equal([2, network.Describe().PooledWidth], output.Pooled!.Shape);
            Assert.True(output.Logits.AllFinite());
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_step_in_bfloat16_stays_finite(string name)
    {
        using var scope = TensorScope.Open();
        using var network = drawn.Create(name);
        using (Precision.Bf16.Enter(Device.Cpu))
        {
            var output = network.Forward(Images(4, 32, 32).Contiguous(MemoryFormat.ChannelsLast), All);
            Assert.All(output.Tensors, tensor => Assert.True(tensor.AllFinite()));
            Functional.CrossEntropy(output.Logits.To(DType.Float32), Tensor.From(new long[] { 3, 1, 4, 1 })).Backward();
        }
        Assert.All(network.NamedParameters(), parameter => Assert.True(parameter.Tensor.Grad?.AllFinite(), parameter.Name));
    }

    [Fact]
    public void A_size_that_a_network_cannot_take_is_refused_with_the_sizes_that_work()
    {
        using var vgg = Networks.Create("vgg8", 10);
        var small = Assert.Throws<UserException>(() => vgg.Forward(Images(1, 7, 32)));
        Assert.Equal("vgg8 cannot take images of 7x32: it needs a height and a width of 8 or more, for example 32x32", small.Message);
        Assert.Equal([1, 10], vgg.Forward(Images(1, 8, 8)).Logits.Shape);

        using var resnet = Networks.Create("resnet18", 10);
        Assert.Contains("a height and a width of 1 or more, for example 224x224",
            Assert.Throws<UserException>(() => resnet.Forward(Images(1, 0, 32))).Message);
        Assert.Contains("[N, 3, H, W]", Assert.Throws<UserException>(() => resnet.Forward(Tensor.Zeros([1, 1, 32, 32]))).Message);
    }

    [Fact]
    public void Vgg_pools_once_more_from_64_pixels_on()
    {
        using var vgg = Networks.Create("vgg8", 10);
        Assert.Equal(new FeatureShape(512, 7, 7), vgg.Describe(63).Stages[4]);
        Assert.Equal(new FeatureShape(512, 4, 4), vgg.Describe(64).Stages[4]);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Shapes_and_work_are_known_without_an_image(string name)
    {
        using var unset = Initialize.Skip();
        using var network = Networks.Create(name, 10);
        var (with, without) = (network.Describe(), network.Describe(network.Input.Natural, batch: 0));
        Assert.Equal(with.Stages, without.Stages);
        Assert.Equal(with.PreActivations, without.PreActivations);
        Assert.Equal((with.PooledWidth, with.MultiplyAdds), (without.PooledWidth, without.MultiplyAdds));
    }

    // Counted by hand from the tables of the papers: each convolution's outputs * inputs * kernel area * positions.
    [Theory]
    [InlineData("resnet56", 125_747_200 + 64 * 100, 100)]
    [InlineData("resnet50", 4_089_184_256, 1000)]
    [InlineData("mobilenet_v1", 568_740_352, 1000)]
    public void Multiply_adds_are_counted(string name, long expected, int classes)
    {
        using var unset = Initialize.Skip();
        using var network = Networks.Create(name, classes);
        Assert.Equal(expected, network.Describe().MultiplyAdds);
    }

    [Fact]
    public void A_name_that_is_no_network_is_answered_with_the_nearest()
    {
        var error = Assert.Throws<UsageException>(() => Networks.Create("resnet65", 10));
        Assert.Contains("resnet56", error.Message);
    }

    internal static Tensor Images(long count, long height, long width)
    {
        using var scope = TensorScope.Open();
        var draws = new Random(7);
        return scope.Keep(
            Tensor.From(
                Enumerable.Range(0, (int)(count * 3 * height * width)).Select(_ => (float)(3.4 * draws.NextDouble() - 1.7)).ToArray(),
                count, 3, height, width));
    }

    static List<(string Name, Tensor Tensor)> Copy(Module module) =>
        [.. module.State().Select(entry => (entry.Name, entry.Tensor.Clone()))];

    static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        var scale = Math.Max(1, expected.To(DType.Float32).Abs().Max().Item());
        Assert.InRange((expected - actual).To(DType.Float32).Abs().Max().Item() / scale, 0, tolerance);
    }

    /// <summary>Networks by one seed, each drawn once: drawing the weights of a resnet18 takes longer than a step with it.</summary>
    public sealed class FreshNetworks : IDisposable
    {
        readonly Dictionary<string, Tensor[]> values = [];

        public Classifier Create(string name)
        {
            using var off = Autograd.NoGrad();
            if (!values.TryGetValue(name, out var own))
            {
                using var first = Networks.Create(name, 10, seed: 1);
                values[name] = own = [.. first.State().Select(entry => entry.Tensor.Clone().Unscoped())];
            }
            using var unset = Initialize.Skip();
            var network = Networks.Create(name, 10);
            foreach (var (entry, value) in network.State().Zip(own)) entry.Tensor.CopyFrom(value);
            return network;
        }

        public void Dispose()
        {
            foreach (var tensor in values.Values.SelectMany(own => own)) tensor.Dispose();
        }
    }
}
