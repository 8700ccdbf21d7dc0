using DistillSharp.Evaluation;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Evaluation;

public class AccuracyTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Measuring_leaves_every_module_in_the_mode_it_was_in(bool training)
    {
        using var network = Networks.Create("resnet8", 10, seed: 3);
        network.Train(training);
        Accuracy.Measure(network, Images.Random(5, classes: 10), new([.5f, .5f, .5f], [.25f, .25f, .25f]));
        Assert.All(network.NamedModules(), entry => Assert.True(entry.Module.Training == training, entry.Name));
        Assert.True(Autograd.Enabled);
    }

    [Fact]
    public void Guesses_are_counted()
    {
        using var scope = TensorScope.Open();
        // The true class has the first, the fifth and the sixth of seven places.
        var logits = Tensor.From<float>([9, 1, 2, 3, 4, 5, 6, 9, 3, 2, 8, 7, 6, 1, 9, 8, 2, 7, 6, 5, 1], 3, 7);
        var accuracy = Accuracy.Count(logits, Tensor.From<long>([0, 1, 2], 3));
        Assert.Equal(new(Images: 3, Correct1: 1, Correct5: 2), accuracy);
        Assert.Equal((100 / 3.0, 200 / 3.0), (accuracy.Top1, accuracy.Top5));
    }
}
