namespace DistillSharp.Evaluation;

/// <summary>Which classes a network takes for which.</summary>
public sealed class Confusion
{
    Confusion(long[,] counts) => Counts = counts;

    /// <summary>Images by true class (row) and predicted class (column), [K, K].</summary>
    public long[,] Counts { get; }

    /// <summary>Number of classes, K.</summary>
    public int Classes => Counts.GetLength(0);

    /// <summary>Counts the predictions of a network.</summary>
    public static Confusion Of(NetworkOutputs outputs) => Of(outputs.Labels, outputs.Predictions, outputs.Classes);

    /// <summary>Counts predictions.</summary>
    /// <param name="labels">True classes, [N].</param>
    /// <param name="predictions">Predicted classes, [N].</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static Confusion Of(ReadOnlySpan<int> labels, ReadOnlySpan<int> predictions, int classes)
    {
        if (labels.Length != predictions.Length)
            throw new ArgumentException($"{predictions.Length} predictions do not belong to {labels.Length} labels");
        var counts = new long[classes, classes];
        for (var i = 0; i < labels.Length; i++) counts[labels[i], predictions[i]]++;
        return new(counts);
    }

    /// <summary>Right predictions of each class in percent, [K]; NaN for a class without images.</summary>
    public double[] ClassAccuracy() => [.. Enumerable.Range(0, Classes).Select(k => 100.0 * Counts[k, k] / Images(k))];

    /// <summary>Images of a class.</summary>
    public long Images(int label) => Enumerable.Range(0, Classes).Sum(k => Counts[label, k]);

    /// <summary>The confusions that happen most often, most frequent first.</summary>
    /// <param name="count">How many at most.</param>
    public IReadOnlyList<(int Label, int Predicted, long Images)> Commonest(int count) =>
        [.. Enumerable.Range(0, Classes * Classes)
            .Select(i => (Label: i / Classes, Predicted: i % Classes, Images: Counts[i / Classes, i % Classes]))
            .Where(cell => cell.Label != cell.Predicted && cell.Images > 0)
            .OrderByDescending(cell => cell.Images).ThenBy(cell => cell.Label).ThenBy(cell => cell.Predicted).Take(count)];
}
