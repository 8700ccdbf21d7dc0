using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Torch;

namespace DistillSharp.Onnx.Measurement;

/// <summary>How many images of a set a file classifies rightly.</summary>
public static class OnnxAccuracy
{
    const int BatchSize = 32;

    /// <summary>
    /// Measures a classifier. Graphs that prepare images themselves get them as they are stored; others get the set's, normalized as
    /// the file's metadata say, or where these say nothing, as the set does.
    /// </summary>
    /// <param name="classifier">The classifier.</param>
    /// <param name="data">The set; its test images are looked at.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <exception cref="UserException">The file has other classes or another size than the set.</exception>
    public static Accuracy Measure(OnnxClassifier classifier, Dataset data, IProgress<WorkProgress>? progress = null) =>
        Measure(classifier, data, data.Test, progress);

    internal static Accuracy Measure(OnnxClassifier classifier, Dataset data, ImageSet images, IProgress<WorkProgress>? progress)
    {
        Check(classifier, data);
        var sum = default(Accuracy);
        foreach (var (logits, labels) in classifier.Input == OnnxInput.Pixels ? FromPixels(classifier, images) : FromNormalized(classifier, data, images))
        {
            sum = Count(sum, logits, labels);
            progress?.Report(new($"accuracy of {Path.GetFileName(classifier.Name)}", sum.Images, images.Count));
        }
        return sum;
    }

    /// <summary>Adds the right guesses of a batch.</summary>
    /// <param name="sum">Those so far.</param>
    /// <param name="logits">[N, classes].</param>
    /// <param name="labels">[N].</param>
    internal static Accuracy Count(Accuracy sum, ReadOnlySpan<float> logits, ReadOnlySpan<int> labels)
    {
        var classes = logits.Length / labels.Length;
        var (first, five) = (0, 0);
        for (var i = 0; i < labels.Length; i++)
        {
            var row = logits.Slice(i * classes, classes);
            var own = row[labels[i]];
            var before = 0;
            // Of equal logits the first class is guessed; what is no number is guessed never.
            for (var c = 0; c < row.Length; c++)
                if (row[c] > own || (row[c] == own && c < labels[i])) before++;
            if (float.IsNaN(own)) continue;
            if (before == 0) first++;
            if (before < 5) five++;
        }
        return sum.Add(new(labels.Length, first, classes > 5 ? five : null));
    }

    static void Check(OnnxClassifier classifier, Dataset data)
    {
        if (classifier.Classes is { } classes && classes != data.Classes)
            throw new UserException($"'{classifier.Name}' tells {classes} classes apart, but {data.Name} has {data.Classes}");
        if (classifier.Card.ClassNames is { } names && !names.SequenceEqual(data.ClassNames))
            throw new UserException($"'{classifier.Name}' has other classes than {data.Name}: its first is '{names[0]}', and there '{data.ClassNames[0]}'");
    }

    static IEnumerable<(float[] Logits, int[] Labels)> FromNormalized(OnnxClassifier classifier, Dataset data, ImageSet images)
    {
        var size = new Size2(images.Height, images.Width);
        var batch = classifier.Batch ?? BatchSize;
        foreach (var next in new BatchLoader(images, classifier.Card.Normalization ?? data.Normalization, BatchOptions.Evaluation(batch)).Epoch())
        {
            var values = next.Images.ToArray<float>();
            var labels = Array.ConvertAll(next.Labels.ToArray<long>(), label => (int)label);
            yield return (Run(values, labels.Length, classifier.Batch, (padded, count) => classifier.Logits(padded, count, size)), labels);
        }
    }

    // Photographs as they are stored have sizes of their own: a batch ends where another size begins.
    static IEnumerable<(float[] Logits, int[] Labels)> FromPixels(OnnxClassifier classifier, ImageSet images)
    {
        var batch = classifier.Batch ?? BatchSize;
        var (pixels, labels, size) = (new List<byte>(), new List<int>(), default(Size2));
        for (var i = 0; i < images.Count; i++)
        {
            var (own, image) = Image(i);
            if (labels.Count == batch || (labels.Count > 0 && own != size)) yield return Flush();
            size = own;
            pixels.AddRange(image);
            labels.Add(images.Labels[i]);
        }
        yield return Flush();

        (Size2, byte[]) Image(int index)
        {
            var image = classifier.Size is null ? images.Original(index) : images.Image(index);
            return (new(image.Height, image.Width), image.Pixels.ToArray());
        }

        (float[], int[]) Flush()
        {
            var (values, rights) = (pixels.ToArray(), labels.ToArray());
            pixels.Clear();
            labels.Clear();
            return (Run(values, rights.Length, classifier.Batch, (padded, count) => classifier.Logits(padded, count, size)), rights);
        }
    }

    // A graph of fixed batches gets a last one filled up.
    static float[] Run<T>(T[] values, int images, int? batch, Func<T[], int, float[]> logits)
    {
        var count = batch ?? images;
        Array.Resize(ref values, values.Length / images * count);
        var all = logits(values, count);
        return all[..(all.Length / count * images)];
    }
}
