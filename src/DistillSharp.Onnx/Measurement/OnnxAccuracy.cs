using DistillSharp.Evaluation;

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
        foreach (var fed in ImageFeed.Of(classifier, data, images, BatchSize))
        {
            var logits = classifier.Logits(fed);
            sum = Count(sum, logits.AsSpan(0, logits.Length / fed.Count * fed.Labels.Length), fed.Labels);
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
            throw new UserException(
                $"'{classifier.Name}' has other classes than {data.Name}: its first is '{names[0]}', and there '{data.ClassNames[0]}'");
    }
}
