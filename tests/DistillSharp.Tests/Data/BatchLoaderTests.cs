using System.Collections.Concurrent;
using DistillSharp.Data;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Data;

public class BatchLoaderTests
{
    const int Images = 103;
    static readonly float[] mean = [.5f, .4f, .3f];
    static readonly float[] std = [.2f, .25f, .3f];
    static readonly Normalization normalization = new(mean, std);
    static readonly BatchOptions training = BatchOptions.Training(batchSize: 10, seed: 7, Augmentation.CropAndFlip);

    static ImageSet Set(int count = Images) =>
        new(SmallFiles.Bytes(count * 192, 1), 8, 8, 3, [.. Enumerable.Range(0, count).Select(i => i % 10)], SmallFiles.TenNames);

    sealed record Copy(int Number, long[] Indices, long[] Labels, int[] Variants, float[] Images);

    static Copy[] Epoch(BatchOptions options, int epoch = 0, int skip = 0, ImageSet? set = null) =>
    [
        .. new BatchLoader(set ?? Set(), normalization, options).Epoch(epoch, skip).Select(batch => new Copy(
            batch.Number, batch.Indices.ToArray<long>(), batch.Labels.ToArray<long>(), batch.Variants.ToArray(),
                batch.Images.Memory<float>().ToArray())),
    ];

    static void AssertSame(IEnumerable<Copy> expected, IEnumerable<Copy> actual)
    {
        Assert.Equal(expected.Count(), actual.Count());
        foreach (var (a, b) in expected.Zip(actual)) Assert.Equivalent(a, b, strict: true);
    }

    [Fact]
    public void Training_ShowsEveryImageOnce_CroppedFlippedAndNormalizedAsDrawn()
    {
        var set = Set();
        var batches = Epoch(training, epoch: 3, set: set);
        Assert.Equal(EpochOrder.Shuffled(Images, seed: 7, epoch: 3).Select(i => (long)i), batches.SelectMany(batch => batch.Indices));
        Assert.Equal(Enumerable.Range(0, 11), batches.Select(batch => batch.Number));
        Assert.Equal(3, batches[^1].Labels.Length);
        foreach (var batch in batches)
            for (var i = 0; i < batch.Indices.Length; i++)
            {
                var index = (int)batch.Indices[i];
                var variant = training.Augmentation.Variant(7, 3, index);
                var moved = SlowReference.PadCropFlip(set.Image(index).Pixels.ToArray(), 8, 8, 3, 4, variant);
                Assert.Equal(SlowReference.Normalize(moved, mean, std), batch.Images.AsSpan(i * 192, 192));
                Assert.Equal(set.Labels[index], batch.Labels[i]);
                Assert.Equal(variant, batch.Variants[i]);
            }
    }

    [Fact]
    public void Tensors_AreChannelsLastAndAddressedAsUsual()
    {
        var set = Set();
        foreach (var batch in new BatchLoader(set, normalization, BatchOptions.Evaluation(50)).Epoch())
        {
            Assert.Equal([batch.Count, 3, 8, 8], batch.Images.Shape);
            Assert.Equal((DType.Float32, DType.Int64, DType.Int64), (batch.Images.DType, batch.Labels.DType, batch.Indices.DType));
            Assert.True(batch.Images.Permute(0, 2, 3, 1).IsContiguous);
            var first = (int)batch.Indices.ToArray<long>()[0];
            var rowMajor = batch.Images.ToArray<float>();
            for (var (c, at) = (0, 0); c < 3; c++)
                for (var pixel = 0; pixel < 64; pixel++, at++)
                    Assert.Equal((set.Image(first).Pixels[pixel * 3 + c] / 255f - mean[c]) / std[c], rowMajor[at]);
        }
    }

    [Fact]
    public void Evaluation_GoesThroughInOrderAndLeavesNothingOut()
    {
        var set = Set();
        var batches = Epoch(BatchOptions.Evaluation(10), set: set);
        Assert.Equal(Enumerable.Range(0, Images).Select(i => (long)i), batches.SelectMany(batch => batch.Indices));
        Assert.Equal(SlowReference.Normalize(set.Pixels.ToArray(), mean, std), batches.SelectMany(batch => batch.Images));
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(5, 1)]
    [InlineData(16, 30)]
    public void ThreadsAndAhead_ChangeNothing(int threads, int ahead) =>
        AssertSame(Epoch(training, epoch: 1), Epoch(training with { Threads = threads, Ahead = ahead }, epoch: 1));

    [Fact]
    public void Skip_GivesTheRestOfTheSameEpoch()
    {
        var whole = Epoch(training, epoch: 5);
        for (var skip = 0; skip <= whole.Length; skip++) AssertSame(whole.Skip(skip), Epoch(training, epoch: 5, skip));
    }

    [Fact]
    public void Skip_DoesNotPrepareWhatIsLeftOut()
    {
        var set = new WatchedSet(Set());
        Epoch(training, epoch: 5, skip: 8, set);
        Assert.Equal(EpochOrder.Shuffled(Images, seed: 7, epoch: 5)[80..].Order(), set.Asked.Order());
    }

    [Fact]
    public void Epochs_DifferAndRepeatExactly()
    {
        AssertSame(Epoch(training, epoch: 2), Epoch(training, epoch: 2));
        var orders = Enumerable.Range(0, 5).Select(epoch => string.Join(',', Epoch(training, epoch).SelectMany(batch => batch.Indices)));
        Assert.Equal(5, orders.Distinct().Count());
    }

    [Fact]
    public void DropLast_LeavesOutTheShortBatch()
    {
        var batches = Epoch(training with { DropLast = true });
        Assert.Equal(10, batches.Length);
        AssertSame(Epoch(training).Take(10), batches);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Processes_ShareTheBatchesOfOne(int processes)
    {
        var alone = Epoch(training, epoch: 4);
        var shares =
            Enumerable.Range(0, processes).Select(rank => Epoch(training with { Rank = rank, Processes = processes }, epoch: 4)).ToList();
        // The last batch of three images cannot be shared by seven: no process may stand idle in a training step.
        var steps = processes <= 3 ? 11 : 10;
        Assert.All(shares, share => Assert.Equal(steps, share.Length));
        for (var number = 0; number < steps; number++)
        {
            Assert.Equal(alone[number].Indices, shares.SelectMany(share => share[number].Indices));
            Assert.Equal(alone[number].Images, shares.SelectMany(share => share[number].Images));
        }

        var evaluated =
            Enumerable.Range(0, processes)
                .SelectMany(rank => Epoch(BatchOptions.Evaluation(10) with { Rank = rank, Processes = processes }));
        Assert.Equal(Enumerable.Range(0, Images).Select(i => (long)i), evaluated.SelectMany(batch => batch.Indices).Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WhatGoesWrongInTheBackground_IsThrownToTheReader(int threads)
    {
        var set = new WatchedSet(Set(), failAt: 57);
        var seen = 0;
        var failure = Assert.Throws<UserException>(() =>
        {
            foreach (var batch in new BatchLoader(set, normalization, BatchOptions.Evaluation(10) with { Threads = threads }).Epoch())
                seen += batch.Count;
        });
        Assert.Equal("image 57 cannot be decoded", failure.Message);
        Assert.Equal(50, seen);
    }

    [Fact]
    public void Buffers_AreUsedAgain()
    {
        var tensors = new HashSet<Tensor>();
        foreach (var batch in new BatchLoader(Set(1000), normalization, training with { Ahead = 3 }).Epoch()) tensors.Add(batch.Images);
        Assert.InRange(tensors.Count, 1, 5);
    }

    [Fact]
    public void ImpossibleOptions_AreRefused()
    {
        Refused(training with { BatchSize = 0 }, "a batch of 0 images");
        Refused(training with { Threads = 0 }, "0 threads");
        Refused(training with { Ahead = 0 }, "0 batches");
        Refused(training with { Rank = 2, Processes = 2 }, "rank 2 is not one of 0..1");
        Refused(training with { Rank = -1 }, "rank -1");
        Refused(training with { Processes = 0 }, "0 processes");
        Refused(training with { Processes = 11 }, "shared by 11 processes");

        static void Refused(BatchOptions options, string says) =>
            Assert.Contains(says, Assert.Throws<UsageException>(() => new BatchLoader(Set(), normalization, options)).Message);
    }

    [Fact]
    public void NoBatchAtAll_IsRefused()
    {
        Assert.Contains("103 images make no batch of 104",
            Assert.Throws<UsageException>(
                () => new BatchLoader(Set(), normalization, training with { BatchSize = 104, DropLast = true })).Message);
        Assert.Contains(
            "1 channels, but the images have 3",
            Assert.Throws<UsageException>(() => new BatchLoader(Set(), new([0], [1]), training)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader(Set(), normalization, training).Epoch(0, skip: 12));
    }

    sealed class WatchedSet(ImageSet inner, int failAt = -1)
        : ImageSet(inner.Height, inner.Width, inner.Channels, inner.Labels.ToArray(), inner.ClassNames)
    {
        public ConcurrentBag<int> Asked { get; } = [];

        public override ImageView Image(int index)
        {
            Asked.Add(index);
            return index == failAt ? throw new UserException($"image {index} cannot be decoded") : inner.Image(index);
        }
    }
}
