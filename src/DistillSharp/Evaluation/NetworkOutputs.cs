using DistillSharp.Data;
using DistillSharp.Models;

namespace DistillSharp.Evaluation;

/// <summary>What a network makes of every image of a set: what pictures of a trained network are drawn from.</summary>
public sealed class NetworkOutputs
{
    readonly float[] logits, pooled;
    readonly int[] labels, predictions;

    /// <summary>Takes over the arrays; the caller no longer writes to them.</summary>
    /// <param name="logits">[N, K], row-major.</param>
    /// <param name="pooled">[N, D], row-major.</param>
    /// <param name="labels">[N], each below K.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a label names no class.</exception>
    public NetworkOutputs(float[] logits, float[] pooled, int[] labels)
    {
        if (labels.Length == 0 || logits.Length == 0 || logits.Length % labels.Length != 0 || pooled.Length % labels.Length != 0)
            throw new ArgumentException(
                $"{logits.Length} logits and {pooled.Length} pooled features do not belong to {labels.Length} images");
        (this.logits, this.pooled, this.labels) = (logits, pooled, labels);
        (Classes, Width) = (logits.Length / labels.Length, pooled.Length / labels.Length);
        if (Array.Exists(labels, label => (uint)label >= (uint)Classes))
            throw new ArgumentException($"a label is not below {Classes}", nameof(labels));
        predictions = [.. Enumerable.Range(0, Count).Select(i => Largest(LogitsOf(i)))];
    }

    /// <summary>Number of images, N.</summary>
    public int Count => labels.Length;

    /// <summary>Number of classes, K.</summary>
    public int Classes { get; }

    /// <summary>Width of the pooled features, D; 0 where the network shows none, as a TorchScript one may.</summary>
    public int Width { get; }

    /// <summary>The logits, [N, K].</summary>
    public ReadOnlySpan<float> Logits => logits;

    /// <summary>The features before the classifier, [N, D].</summary>
    public ReadOnlySpan<float> Pooled => pooled;

    /// <summary>The true class of each image, [N].</summary>
    public ReadOnlySpan<int> Labels => labels;

    /// <summary>The class of the largest logit of each image, [N]; the first of equal ones.</summary>
    public ReadOnlySpan<int> Predictions => predictions;

    /// <summary>How many predictions are right.</summary>
    public int Correct => labels.Zip(predictions).Count(pair => pair.First == pair.Second);

    /// <summary>The logits of one image, [K].</summary>
    public ReadOnlySpan<float> LogitsOf(int image) => logits.AsSpan(image * Classes, Classes);

    /// <summary>The pooled features of some images, [images, D].</summary>
    public float[] PooledOf(ReadOnlySpan<int> images)
    {
        var chosen = new float[images.Length * Width];
        for (var at = 0; at < images.Length; at++) pooled.AsSpan(images[at] * Width, Width).CopyTo(chosen.AsSpan(at * Width));
        return chosen;
    }

    /// <summary>The softmax probability that the network gives to a class for an image.</summary>
    public double Probability(int image, int label)
    {
        var row = LogitsOf(image);
        double max = row[predictions[image]], sum = 0;
        foreach (var logit in row) sum += Math.Exp(logit - max);
        return Math.Exp(row[label] - max) / sum;
    }

    /// <summary>
    /// Runs a network over a set in evaluation mode, without augmentation; its mode is restored afterwards. Beside the result
    /// only one batch is in memory at a time.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="images">The images, N of them, of as many classes as the network has.</param>
    /// <param name="normalization">How they are normalized.</param>
    /// <param name="precision">The type of the heavy operators; the results are float32.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="batchSize">Images of one batch.</param>
    /// <param name="progress">Hears of each batch.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="UserException">The network has another number of classes or cannot take images of this size.</exception>
    public static NetworkOutputs Of(
        Classifier network, ImageSet images, Normalization normalization, Precision precision = Precision.Fp32, Device device = default,
        int batchSize = 250, IProgress<WorkProgress>? progress = null, CancellationToken cancel = default)
    {
        if (network.Classes != images.ClassNames.Count)
            throw new UserException($"{network.Name} tells {network.Classes} classes apart, but the images have {images.ClassNames.Count}");
        using var mode = new EvaluationMode(network, new(images.Height, images.Width), precision, device);
        var logits = new float[(long)images.Count * network.Classes];
        float[]? pooled = null;
        foreach (var batch in new BatchLoader(images, normalization, BatchOptions.Evaluation(batchSize)).Epoch())
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = TensorScope.Open();
            var output = network.Forward(batch.Images.To(device), Features.Pooled);
            var first = batch.Number * batchSize;
            progress?.Report(
                new($"running {network.Name} over {images.Count} images", Math.Min(first + batchSize, images.Count), images.Count));
            output.Logits.ToArray<float>().CopyTo(logits, first * network.Classes);
            if (output.Pooled is not { } features) continue;
            var width = (int)features.Size(1);
            pooled ??= new float[(long)images.Count * width];
            features.ToArray<float>().CopyTo(pooled, first * width);
        }
        return new(logits, pooled ?? [], images.Labels.ToArray());
    }

    static int Largest(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var k = 1; k < row.Length; k++)
            if (row[k] > row[best]) best = k;
        return best;
    }
}
