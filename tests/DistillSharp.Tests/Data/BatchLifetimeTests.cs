using DistillSharp.Data;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Data;

/// <summary>Tests that count what lives in the whole process run while no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public class WholeProcessCollection
{
    public const string Name = "what lives in the whole process";
}

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class BatchLifetimeTests
{
    static BatchLoader Loader() => new(
        new ImageSet(SmallFiles.Bytes(200 * 192, 1), 8, 8, 3, new int[200], ["one"]), new([.5f, .5f, .5f], [.25f, .25f, .25f]),
        BatchOptions.Training(16, seed: 1, Augmentation.CropAndFlip));

    [Fact]
    public void LeavingAnEpochInTheMiddle_FreesEveryTensor()
    {
        var before = LivingTensors.Count();
        var loader = Loader();
        for (var epoch = 0; epoch < 50; epoch++)
        {
            Tensor? last = null;
            foreach (var batch in loader.Epoch(epoch))
            {
                last = batch.Images;
                if (batch.Number == epoch % 13) break;
            }
            Assert.True(last!.IsDisposed);
        }
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void AnErrorInTheLoop_FreesEveryTensor()
    {
        var before = LivingTensors.Count();
        Assert.Throws<InvalidOperationException>(() =>
        {
            foreach (var batch in Loader().Epoch()) throw new InvalidOperationException();
        });
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void AScopeAroundTheLoop_DoesNotFreeTheBatches()
    {
        using var scope = TensorScope.Open();
        foreach (var batch in Loader().Epoch())
        {
            using (TensorScope.Open()) Assert.Equal(batch.Count, (batch.Labels + 0).Count);
            Assert.False(batch.Images.IsDisposed);
        }
    }
}
