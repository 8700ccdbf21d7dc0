using System.Text.Json.Serialization;
using DistillSharp.Data;
using DistillSharp.Models;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Evaluation;

/// <summary>How many images of a set a network classifies rightly.</summary>
/// <param name="Images">How many images were looked at.</param>
/// <param name="Correct1">Of how many the first guess is right.</param>
/// <param name="Correct5">Of how many one of the first five guesses is right; null with fewer than six classes.</param>
public readonly record struct Accuracy(int Images, int Correct1, int? Correct5)
{
    /// <summary>Right first guesses in percent.</summary>
    [JsonIgnore]
    public double Top1 => 100.0 * Correct1 / Images;

    /// <summary>Right guesses among the first five in percent; null with fewer than six classes.</summary>
    [JsonIgnore]
    public double? Top5 => 100.0 * Correct5 / Images;

    /// <summary>
    /// Measures a network, in evaluation mode, without augmentation; its mode is restored afterwards. Images that the set leaves out, as
    /// they turn out damaged, are not counted.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="images">The images.</param>
    /// <param name="normalization">How they are normalized.</param>
    /// <param name="precision">The type of the heavy operators.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="batchSize">Images of one batch.</param>
    /// <param name="loaderThreads">Threads that prepare batches; they change no result.</param>
    /// <param name="progress">Hears of each batch.</param>
    /// <param name="processes">Processes that measure the same network together, each some of the images; null for this one alone.</param>
    public static Accuracy Measure(
        Classifier network, ImageSet images, Normalization normalization, Precision precision = Precision.Fp32, Device device = default,
        int batchSize = 250, int loaderThreads = 1, IProgress<WorkProgress>? progress = null, ProcessGroup? processes = null)
    {
        // Each process takes whole batches of the size asked for, as one process would see them, but for the last few.
        var options = processes is null ? BatchOptions.Evaluation(batchSize)
            : BatchOptions.Evaluation(batchSize * processes.Size) with { Rank = processes.Rank, Processes = processes.Size };
        options = options with { Threads = loaderThreads };
        var sum = new BatchShares(images.Count, options).Count == 0 ? default
            : Count(network, images, normalization, precision, device, options, progress);
        return processes is null ? sum : Sum(sum, processes);
    }

    static Accuracy Sum(Accuracy own, ProcessGroup processes)
    {
        using var scope = TensorScope.Open();
        // Top-5 counts only where every process that saw images has it.
        var counts = new[] { own.Images, own.Correct1, own.Correct5 ?? 0, own.Images > 0 && own.Correct5 is null ? 1L : 0 };
        var all = processes.Sum(Tensor.From(counts).To(processes.Device)).ToArray<long>();
        return new((int)all[0], (int)all[1], all[3] == 0 ? (int)all[2] : null);
    }

    static Accuracy Count(
        Classifier network, ImageSet images, Normalization normalization, Precision precision, Device device, BatchOptions options,
        IProgress<WorkProgress>? progress)
    {
        using var mode = new EvaluationMode(network, new(images.Height, images.Width), precision, device);
        var (sum, seen) = (default(Accuracy), 0);
        foreach (var batch in new BatchLoader(images, normalization, options).Epoch())
        {
            using var scope = TensorScope.Open();
            var logits = network.Forward(batch.Images.To(device)).Logits;
            sum = sum.Add(Count(logits, batch.Labels.To(device), Intact(images, batch)));
            seen += batch.Count;
            progress?.Report(new($"running {network.Name} over {images.Count} images", seen, images.Count));
        }
        return sum;
    }

    // The rows of a batch, but for those of images that were left out; null for all.
    static long[]? Intact(ImageSet images, Batch batch)
    {
        if (images.Skipped.Count == 0) return null;
        var indices = batch.Indices.ToArray<long>();
        return [.. Enumerable.Range(0, indices.Length).Where(row => !images.IsSkipped((int)indices[row])).Select(row => (long)row)];
    }

    static Accuracy Count(Tensor logits, Tensor labels, long[]? rows)
    {
        if (rows is null || rows.Length == labels.Count) return Count(logits, labels);
        if (rows.Length == 0) return default;
        var taken = Tensor.From(rows).To(labels.Device);
        return Count(logits.IndexSelect(0, taken), labels.IndexSelect(0, taken));
    }

    /// <summary>Counts the right guesses of one batch: logits [N, K], labels int64 [N].</summary>
    public static Accuracy Count(Tensor logits, Tensor labels)
    {
        using var scope = TensorScope.Open();
        const int guessed = 5;
        var (_, guesses) = logits.To(DType.Float32).TopK(Math.Min(guessed, logits.Size(1)));
        var right = guesses.EqualTo(labels.Unsqueeze(1));
        return new((int)labels.Count, (int)right.Narrow(1, 0, 1).Sum().Item(), logits.Size(1) > guessed ? (int)right.Sum().Item() : null);
    }

    /// <summary>Both together.</summary>
    public Accuracy Add(Accuracy other) =>
        Images == 0 ? other : other.Images == 0 ? this : new(Images + other.Images, Correct1 + other.Correct1, Correct5 + other.Correct5);
}
