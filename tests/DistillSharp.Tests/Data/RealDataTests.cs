using System.Formats.Tar;
using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

public class RealDataTests
{
    [SharedFact]
    public void Cifar100_IsRead()
    {
        var data = RealData.Cifar100;
        Assert.Equal((50_000, 10_000, 100), (data.Train.Count, data.Test.Count, data.Classes));
        Assert.All(Enumerable.Range(0, 100), label => Assert.Equal(500, data.Train.Labels.Count(label)));
        Assert.All(Enumerable.Range(0, 100), label => Assert.Equal(100, data.Test.Labels.Count(label)));
        Assert.Equal(("apple", "worm"), (data.ClassNames[0], data.ClassNames[99]));
        // The first training image is a cattle on a pasture, the first test image a mountain.
        Assert.Equal(("cattle", "mountain"), (data.ClassNames[data.Train.Labels[0]], data.ClassNames[data.Test.Labels[0]]));
        AssertStatistics(data);
    }

    [SharedFact]
    public void Cifar100_FromAnArchiveAndInBinary_IsTheSame()
    {
        using var folder = new TemporaryFolder();
        using (var writer = new TarWriter(File.Create(folder["cifar-100-python.tar"])))
            foreach (var name in new[] { "meta", "test", "train" })
                writer.WriteEntry(Path.Combine(RealData.Cifar100Root, "cifar-100-python", name), $"cifar-100-python/{name}");
        var (data, archive) = (RealData.Cifar100, Datasets.Cifar100(folder.Path));
        Assert.True(data.Train.Pixels.SequenceEqual(archive.Train.Pixels));
        Assert.True(data.Train.Labels.SequenceEqual(archive.Train.Labels));

        var planes = new byte[3074];
        planes[1] = (byte)data.Test.Labels[4711];
        for (var i = 0; i < 3072; i++) planes[2 + i] = data.Test.Image(4711).Pixels[i % 1024 * 3 + i / 1024];
        var binary = CifarBinary.Read([(planes, "test.bin")], 2, 1, data.ClassNames);
        Assert.True(binary.Pixels.SequenceEqual(data.Test.Image(4711).Pixels));
    }

    [SharedFact]
    public void Cifar100_CoarseLabels_GroupTheFineOnes()
    {
        var coarse = Datasets.Cifar100(RealData.Cifar100Root, coarse: true);
        Assert.Equal(20, coarse.Classes);
        var pairs = RealData.Cifar100.Train.Labels.ToArray().Zip(coarse.Train.Labels.ToArray()).Distinct().ToList();
        Assert.Equal(100, pairs.Count);
        Assert.All(pairs.GroupBy(pair => pair.Second), group => Assert.Equal(5, group.Count()));
        Assert.Equal("large_omnivores_and_herbivores", coarse.ClassNames[coarse.Train.Labels[0]]);
    }

    [SharedFact]
    public void Cifar100_InBatches_AgreesWithTheSlowWay()
    {
        var data = RealData.Cifar100;
        var options = BatchOptions.Training(256, seed: 3, Augmentation.CropAndFlip);
        var loader = new BatchLoader(data.Train, data.Normalization, options);
        foreach (var batch in loader.Epoch(2, skip: loader.BatchCount - 2))
        {
            var images = batch.Images.Memory<float>();
            for (var i = 0; i < batch.Count; i++)
            {
                var index = (int)batch.Indices.Memory<long>()[i];
                var moved =
                    SlowReference.PadCropFlip(
                        data.Train.Image(index).Pixels.ToArray(), 32, 32, 3, 4, options.Augmentation.Variant(3, 2, index));
                Assert.Equal(SlowReference.Normalize(moved, [.. data.Mean], [.. data.Std]), images.Slice(i * 3072, 3072));
            }
        }
    }

    [FashionMnistFact]
    public void FashionMnist_FromDebiansPackage_IsRead()
    {
        var data = Datasets.FashionMnist(RealData.FashionMnistRoot);
        Assert.Equal((60_000, 10_000, 10), (data.Train.Count, data.Test.Count, data.Classes));
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(6000, data.Train.Labels.Count(label)));
        Assert.Equal("Ankle boot", data.ClassNames[data.Train.Labels[0]]);
        AssertStatistics(data, border: 2);
        var subset = data.Limit(train: 1000, test: 100);
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(100, subset.Train.Labels.Count(label)));
    }

    // The mean and deviation of all training pixels (of padded ones: without the border) are the published ones.
    static void AssertStatistics(Dataset data, int border = 0)
    {
        var times = new long[3, 256];
        var pixels = data.Train.Pixels;
        for (var row = 0; row < data.Train.Count * 32; row++)
        {
            if (row % 32 < border || row % 32 >= 32 - border) continue;
            var values = pixels.Slice(row * 96 + border * 3, (32 - 2 * border) * 3);
            for (var i = 0; i < values.Length; i++) times[i % 3, values[i]]++;
        }
        var count = data.Train.Count * Math.Pow(32 - 2 * border, 2);
        for (var c = 0; c < 3; c++)
        {
            var mean = Enumerable.Range(0, 256).Sum(value => value / 255.0 * times[c, value]) / count;
            var variance = Enumerable.Range(0, 256).Sum(value => Math.Pow(value / 255.0 - mean, 2) * times[c, value]) / count;
            Assert.Equal(data.Mean[c], mean, 3e-4);
            Assert.Equal(data.Std[c], Math.Sqrt(variance), 3e-4);
        }
    }
}

/// <summary>A fact that runs only where Debian's Fashion-MNIST is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FashionMnistFactAttribute : FactAttribute
{
    public FashionMnistFactAttribute()
    {
        if (!Directory.Exists(RealData.FashionMnistRoot)) Skip = "Debian's package dataset-fashion-mnist is not installed";
    }
}
