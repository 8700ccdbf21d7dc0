using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Training;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Data;

/// <summary>Images mixed of two: which two, in what shares, with what labels, and who can live with it.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class MixingTests
{
    const int Count = 12, Side = 8, Values = Side * Side * 3;

    static readonly ImageSet images = new(
        SmallFiles.Bytes(Count * Values, 4), Side, Side, 3, [.. Enumerable.Range(0, Count)],
        [.. Enumerable.Range(0, Count).Select(i => $"{i}")]);

    static readonly Normalization normalization = new([.5f, .4f, .3f], [.2f, .3f, .25f]);

    [Fact]
    public void Mixup_is_the_sum_of_both_images_by_their_shares()
    {
        var plain = Shown(new(new PadAndCrop { Padding = 0 }));
        foreach (var (index, image, other, share) in Shown(new(new PadAndCrop { Padding = 0 }, new Mixup { Alpha = 1 })))
        {
            Assert.InRange(share, 0, 1);
            for (var i = 0; i < Values; i++)
                Assert.Equal(share * plain[index].Image[i] + (1 - share) * plain[other].Image[i], image[i], 1e-5f);
        }
    }

    [Fact]
    public void Cutmix_shows_a_box_of_the_other_image_and_shares_by_its_area()
    {
        var plain = Shown(Augmentation.None);
        var boxes = 0;
        foreach (var (index, image, other, share) in Shown(new(new CutMix())))
        {
            if (other == index) continue;
            var (own, theirs) = (plain[index].Image, plain[other].Image);
            var covered = Enumerable.Range(0, Side * Side).Where(pixel => image[pixel * 3] != own[pixel * 3]).ToArray();
            Assert.Equal(1 - share, covered.Length / (double)(Side * Side), 1e-6);
            foreach (var pixel in covered) Assert.Equal(theirs[pixel * 3], image[pixel * 3]);
            if (covered.Length == 0) continue;
            boxes++;
            var (ys, xs) = (covered.Select(pixel => pixel / Side).ToArray(), covered.Select(pixel => pixel % Side).ToArray());
            Assert.Equal(covered.Length, (ys.Max() - ys.Min() + 1) * (xs.Max() - xs.Min() + 1));
        }
        Assert.InRange(boxes, 4, Count);
    }

    // By the published code: r = int(sqrt(1 - lambda) * side), clipped on both sides of the middle.
    [Theory]
    [InlineData(.75, 16, 16, 8, 8, 16, 16)]
    [InlineData(.75, 2, 30, 0, 22, 10, 10)]
    [InlineData(0, 0, 0, 0, 0, 16, 16)]
    [InlineData(1, 5, 5, 5, 5, 0, 0)]
    public void Boxes_are_the_papers(double lambda, int middleY, int middleX, int top, int left, int height, int width) =>
        Assert.Equal(new(top, left, height, width), CutMix.Box(lambda, middleY, middleX, 32, 32));

    [Theory]
    [InlineData(.05)]
    [InlineData(.2)]
    [InlineData(.5)]
    [InlineData(1)]
    [InlineData(4)]
    public void Shares_have_the_mean_and_the_variance_of_their_distribution(double alpha)
    {
        var random = KeyedRandom.For(KeyedRandom.Purpose.Mixing, seed: 8);
        var drawn = Enumerable.Range(0, 20_000).Select(i => SymmetricBeta.Draw(alpha, random.Stream(i))).ToArray();
        Assert.All(drawn, share => Assert.InRange(share, 0, 1));
        Assert.Equal(.5, drawn.Average(), .012);
        Assert.Equal(1 / (8 * alpha + 4), drawn.Average(share => (share - .5) * (share - .5)), .004);
    }

    [Fact]
    public void What_is_mixed_depends_on_seed_epoch_and_image_alone()
    {
        Augmentation both = new(new PadAndCrop(), new Flip(), new Mixup(), new CutMix());
        var shown = Shown(both);
        Assert.Equivalent(shown, Shown(both, batch: 5, threads: 3));
        Assert.NotEqual(shown.Select(one => one.Share), Shown(both, epoch: 3).Select(one => one.Share));
        Assert.NotEqual(shown.Select(one => one.Other), Shown(both, seed: 9).Select(one => one.Other));
        Assert.Null(both.VariantCount);
        Assert.All(Shown(new(new Mixup { Probability = 0 })), one => Assert.Equal(1, one.Share));
        Assert.Equal("augmentation 'cutmix' mixes finished images, and so must come after 'flip'",
            Assert.Throws<UsageException>(() => new Augmentation(new PadAndCrop(), new CutMix(), new Flip())).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(.1)]
    public void Cross_entropy_takes_each_label_by_its_share(double smoothing)
    {
        using var scope = TensorScope.Open();
        var logits = Tensor.From([1f, -2, .5f, 0, 3, 1, -1, 2, .25f], 3, 3);
        var mix = new LabelMix(Tensor.From([1L, 1, 0]), Tensor.From([.75f, 1, .1f]));
        ClassifierOutput output = new(logits);
        var loss = new CrossEntropy { LabelSmoothing = smoothing }.Compute(
            new(output, output, Tensor.From([0L, 2, 2]), Tensor.Range(0, 3), Epoch: 1) { Mix = mix })[0].Value.Item();

        double[][] targets = [[.75, .25, 0], [0, 0, 1], [.9, 0, .1]];
        var p = Functional.LogSoftmax(logits).ToArray<double>();
        var expected = -targets.SelectMany(
            (row, i) => row.Select((target, c) => ((1 - smoothing) * target + smoothing / 3) * p[3 * i + c])).Sum() / 3;
        Assert.Equal(expected, loss, 1e-6);
    }

    [Theory]
    [InlineData("kd")]
    [InlineData("at")]
    public void A_run_on_mixed_images_is_resumed_to_the_last_bit(string method)
    {
        using var folder = new TemporaryFolder();
        var options = TinyTraining.Options() with { Augmentation = new(new PadAndCrop(), new Flip(), new Mixup(), new CutMix()) };
        var undisturbed = Train("undisturbed");
        var stopped = Train("stopped", 2, 6);
        Assert.Equal(undisturbed, stopped);

        SortedDictionary<string, string> Train(string name, params long[] stops)
        {
            var checkpoints = new CheckpointStore(folder[name]);
            foreach (var stop in stops.Append(long.MaxValue))
            {
                using var run = new TinyTraining(options, TinyTraining.Methods(method));
                run.Run(checkpoints, resume: true, stop);
            }
            return TinyTraining.Latest(checkpoints);
        }
    }

    [Fact]
    public void Who_needs_one_label_for_each_image_is_refused()
    {
        string[] alone = [.. DistillationMethods.Names.Where(name => DistillationMethods.Create(name).NeedsOneLabel)];
        Assert.Equal(["crd", "dkd"], alone);
        Assert.True(new Fsecd { Policy = PositivePairs.Class }.NeedsOneLabel);
        var options = TinyTraining.Options() with { Augmentation = new(new Flip(), new Mixup()) };
        Assert.Equal("dkd needs one label for each image, and augmentation 'mixup' mixes two; leave one of them out",
            Assert.Throws<UsageException>(() => new TinyTraining(options, new Dkd())).Message);
    }

    static List<(int Index, float[] Image, int Other, float Share)> Shown(
        Augmentation augmentation, int seed = 7, int epoch = 2, int batch = 4, int threads = 1)
    {
        var loader = new BatchLoader(images, normalization, BatchOptions.Training(batch, seed, augmentation) with { Threads = threads });
        var shown = new List<(int, float[], int, float)>();
        foreach (var one in loader.Epoch(epoch))
            for (var i = 0; i < one.Count; i++)
                shown.Add(((int)one.Indices.Memory<long>()[i], one.Images.Memory<float>().Slice(i * Values, Values).ToArray(),
                    one.Mix is { } mix ? (int)mix.Others.Memory<long>()[i] : i,
                    one.Mix is { } shared ? shared.Shares.Memory<float>()[i] : 1));
        return [.. shown.OrderBy(one => one.Item1)];
    }
}
