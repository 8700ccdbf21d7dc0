using BenchmarkDotNet.Attributes;
using DistillSharp.Data;

namespace DistillSharp.Benchmarks;

/// <summary>Random images of 32x32, cropped, mirrored and normalized: the time of one image. A second divided by it is images/s.</summary>
public class Augmentations
{
    const int Count = 6_400, Size = 32, Channels = 3;

    readonly byte[] cropped = new byte[Size * Size * Channels];
    readonly float[] normalized = new float[Size * Size * Channels];
    readonly Normalization normalization = new([.5071f, .4867f, .4408f], [.2675f, .2565f, .2761f]);
    ImageSet images = null!;
    BatchLoader loader = null!;
    int epoch;

    /// <summary>Threads that prepare a batch together.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var pixels = new byte[Count * Size * Size * Channels];
        new Random(1).NextBytes(pixels);
        images = new(pixels, Size, Size, Channels, new int[Count], ["any"]);
        loader = new(images, normalization, BatchOptions.Training(64, seed: 1, Augmentation.CropAndFlip) with { Threads = Threads });
    }

    /// <summary>The arithmetic alone, on this thread.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void CropFlipNormalize()
    {
        epoch++;
        for (var i = 0; i < Count; i++)
        {
            Augmentation.CropAndFlip.Apply(images.Image(i), 1, epoch, i, images.Height, images.Width, cropped);
            normalization.Apply(cropped, normalized);
        }
    }

    /// <summary>Whole batches of 64 as training gets them, prepared in the background.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public long Batches()
    {
        var seen = 0L;
        foreach (var batch in loader.Epoch(++epoch)) seen += batch.Count;
        return seen;
    }
}
