using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Models;

/// <summary>These count live handles, so nothing else of this assembly may run beside them.</summary>
[CollectionDefinition(nameof(NetworkLifetimeTests), DisableParallelization = true)]
public class NetworkLifetimeCollection;

[Collection(nameof(NetworkLifetimeTests))]
[Trait("runs", "alone")]
public class NetworkLifetimeTests
{
    public static TheoryData<string> Forms => NetworkTests.Forms;

    [Theory]
    [MemberData(nameof(Forms))]
    public void No_handle_outlives_a_step_or_the_network(string name)
    {
        using var images = NetworkTests.Images(2, 32, 32);
        using var labels = Tensor.From(new long[] { 3, 1 });
        var outside = LivingTensors.Count();
        using var unset = Initialize.Skip();
        using (var network = Networks.Create(name, 10))
        {
            Step(network, images, labels);
            var afterOne = LiveTensors.Count;
            for (var i = 0; i < 2; i++) Step(network, images, labels);
            Assert.Equal(afterOne, LiveTensors.Count);
            Assert.Equal(outside + network.State().Count(), LiveTensors.Count);
        }
        Assert.Equal(outside, LiveTensors.Count);
    }

    // Outputs that the caller disposes itself, without a scope around: nothing but they may have been made.
    [Theory]
    [MemberData(nameof(Forms))]
    public void Inference_leaves_what_was_asked_for_and_nothing_else(string name)
    {
        using var images = NetworkTests.Images(1, 32, 32);
        using var unset = Initialize.Skip();
        using var network = Networks.Create(name, 10);
        network.Train(false);
        using var off = Autograd.NoGrad();
        foreach (
            var wanted in new[] {
                Features.Logits, Features.Pooled, Features.Stages, Features.PreActivations,
                Features.Stages | Features.PreActivations | Features.Pooled })
        {
            var before = LivingTensors.Count();
            var output = network.Forward(images, wanted);
            Assert.Equal(before + output.Tensors.Count(), LiveTensors.Count);
            Assert.All(output.Tensors, tensor => Assert.False(tensor.IsDisposed));
            foreach (var tensor in output.Tensors) tensor.Dispose();
            Assert.False(images.IsDisposed);
        }
    }

    // A second thread looks on. It can miss a peak, never invent one; a network that kept its blocks' outputs would end each
    // pass with many more than these.
    [Theory]
    [InlineData("resnet110", 54)]
    [InlineData("wrn_40_2", 18)]
    [InlineData("mobilenet_v2_half", 17)]
    public void Inference_holds_the_tensors_of_one_block_at_a_time(string name, int blocks)
    {
        const int maxInABlock = 14;
        using var images = NetworkTests.Images(8, 32, 32);
        using var network = Networks.Create(name, 10);
        network.Train(false);
        var before = LivingTensors.Count();
        long max = 0, looks = 0;
        using var stop = new CancellationTokenSource();
        var onlooker = new Thread(() =>
        {
            for (; !stop.IsCancellationRequested; looks++)
            {
                max = Math.Max(max, LiveTensors.Count - before);
                Thread.Yield();
            }
        });
        onlooker.Start();
        using (Autograd.NoGrad())
            for (var i = 0; i < 5; i++) network.Forward(images).Logits.Dispose();
        stop.Cancel();
        onlooker.Join();

        Assert.True(looks > 0);
        Assert.InRange(max, 1, maxInABlock);
        Assert.True(maxInABlock < blocks);
    }

    static void Step(Classifier network, Tensor images, Tensor labels)
    {
        using var scope = TensorScope.Open();
        var output = network.Forward(images, Features.Pooled | Features.Stages | Features.PreActivations);
        Functional.CrossEntropy(output.Logits, labels).Backward();
        Autograd.ClearGradients(network.Parameters());
    }
}
