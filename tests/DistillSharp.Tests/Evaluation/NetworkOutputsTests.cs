using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Evaluation;

public class NetworkOutputsTests
{
    static readonly Normalization normalization = new([.5f, .5f, .5f], [.25f, .25f, .25f]);

    [Fact]
    public void Every_image_has_the_outputs_that_the_network_gives_it_alone()
    {
        var images = Images.Random(7, classes: 10);
        using var network = Networks.Create("resnet8", 10, seed: 3);
        var outputs = NetworkOutputs.Of(network, images, normalization, batchSize: 3);

        Assert.Equal((7, 10, 64), (outputs.Count, outputs.Classes, outputs.Width));
        Assert.Equal(images.Labels, outputs.Labels);
        network.Train(false);
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var values = new float[32 * 32 * 3];
        for (var i = 0; i < images.Count; i++)
        {
            normalization.Apply(images.Image(i).Pixels, values);
            var alone = network.Forward(Tensor.From(values, 1, 32, 32, 3).Permute(0, 3, 1, 2), Features.Pooled);
            Near(alone.Logits.ToArray<float>(), outputs.LogitsOf(i));
            Near(alone.Pooled!.ToArray<float>(), outputs.Pooled.Slice(i * 64, 64));
            Assert.Equal(alone.Logits.ArgMax(1).Item(), outputs.Predictions[i]);
        }
    }

    [Fact]
    public void Batch_by_batch_it_is_told_how_far_the_work_is()
    {
        var (images, told, measured) = (Images.Random(7, classes: 4), new Heard(), new Heard());
        using var network = Networks.Create("resnet8", 4, seed: 1);
        NetworkOutputs.Of(network, images, normalization, batchSize: 3, progress: told);
        Accuracy.Measure(network, images, normalization, batchSize: 3, progress: measured);
        Assert.Equal([(3L, 7L), (6L, 7L), (7L, 7L)], told.Steps.Select(step => (step.Done, step.Total)));
        Assert.Equal(told.Steps, measured.Steps);
        Assert.Single(told.Steps.Select(step => step.Work).Distinct());
        var cancelled = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() => NetworkOutputs.Of(network, images, normalization, cancel: cancelled));
    }

    [Fact]
    public void The_counts_agree_with_the_accuracy()
    {
        var images = Images.Random(40, classes: 4);
        using var network = Networks.Create("resnet8", 4, seed: 1);
        Assert.Equal(Accuracy.Measure(network, images, normalization).Correct1, NetworkOutputs.Of(network, images, normalization).Correct);
    }

    [Fact]
    public void Other_classes_than_the_networks_are_refused()
    {
        using var network = Networks.Create("resnet8", 100, seed: 1);
        var error = Assert.Throws<UserException>(() => NetworkOutputs.Of(network, Images.Random(2, classes: 10), normalization));
        Assert.Equal("resnet8 tells 100 classes apart, but the images have 10", error.Message);
    }

    [Fact]
    public void Probabilities_are_those_of_softmax_even_for_large_logits()
    {
        var outputs = new NetworkOutputs([1000, 1000 + MathF.Log(3), 0, 0], [0, 0], [0, 1]);
        Assert.Equal(0.25, outputs.Probability(0, 0), 4);
        Assert.Equal(0.75, outputs.Probability(0, 1), 4);
        Assert.Equal(0.5, outputs.Probability(1, 1), 12);
        Assert.Equal([1, 0], outputs.Predictions);
    }

    static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4f);
    }
}

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class NetworkOutputsLifetimeTests
{
    [Fact]
    public void The_mode_is_restored_and_nothing_leaks()
    {
        var images = Images.Random(5, classes: 10);
        var normalization = new Normalization([.5f, .5f, .5f], [.25f, .25f, .25f]);
        using var network = Networks.Create("resnet8", 10, seed: 3);
        network.Train(true);
        NetworkOutputs.Of(network, images, normalization);
        var before = LivingTensors.Count();
        NetworkOutputs.Of(network, images, normalization);
        Assert.True(network.Training);
        Assert.True(Autograd.Enabled);
        Assert.Equal(before, LivingTensors.Count());
    }
}
