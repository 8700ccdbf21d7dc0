using DistillSharp.Data;
using DistillSharp.Extending;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Verification;

namespace DistillSharp.Tests.Interop;

public class PredictorTests
{
    [SharedFact]
    public void Photographs_are_seen_as_the_test_set_shows_them()
    {
        using var scope = TensorScope.Open();
        var network = Networks.Create("mobilenet_v1", 10, seed: 1);
        new ReferenceValues("predict").Fill(network);
        network.Train(false);
        var root = SharedFiles.Path("data/imagenette");
        var data = Datasets.ImageFolder(root, side: 96);
        using var predictor =
            new Predictor(
                new(network)
                {
                    Image = 96, ClassNames = data.ClassNames, Set = Toolkit.BuiltIn.Datasets[data.Name],
                    Normalization = data.Normalization
                });
        var predictions = predictor.Predict([Path.Combine(root, "val", data.ClassNames[0])], top: 10).Take(5).ToList();

        using var off = Autograd.NoGrad();
        foreach (var batch in new BatchLoader(data.Test, data.Normalization, BatchOptions.Evaluation(5)).Epoch())
        {
            var expected = Functional.Softmax(network.Forward(batch.Images).Logits).ToArray<float>();
            for (var i = 0; i < 5; i++)
            {
                Assert.Equal(10, predictions[i].Guesses.Count);
                foreach (var guess in predictions[i].Guesses)
                {
                    Assert.Equal(data.ClassNames[guess.Index], guess.Class);
                    Assert.Equal(expected[i * 10 + guess.Index], guess.Probability, 1e-4);
                }
            }
            break;
        }
    }

    [Fact]
    public void Digits_and_clothes_get_their_black_border()
    {
        var prepared = Prepared("mnist", 32);
        for (var y = 0; y < 32; y++)
            for (var x = 0; x < 32; x++)
                Assert.Equal(y is >= 2 and < 30 && x is >= 2 and < 30 ? 255 : 0, prepared[(y * 32 + x) * 3 + 1]);
        Assert.All(Prepared("cifar100", 32), value => Assert.Equal(255, value));
        Assert.All(Prepared("image-folder", 224), value => Assert.Equal(255, value));

        byte[] Prepared(string set, int side)
        {
            byte[] white = [.. Enumerable.Repeat((byte)255, 28 * 28 * 3)];
            return Toolkit.BuiltIn.Datasets[set].Prepare(new(white, 28, 28, 3), side, side);
        }
    }
}
