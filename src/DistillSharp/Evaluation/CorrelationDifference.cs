namespace DistillSharp.Evaluation;

/// <summary>
/// How differently teacher and student relate the classes to each other: Pearson's correlation of every two classes' logits
/// over the images, the teacher's minus the student's. (Shown first in "Contrastive Representation Distillation", Tian,
/// Krishnan, Isola, ICLR 2020, and since in many papers, as a heat map.)
/// </summary>
public sealed class CorrelationDifference
{
    CorrelationDifference(double[,] values)
    {
        Values = values;
        MeanAbsolute = values.Cast<double>().Average(Math.Abs);
        LargestAbsolute = values.Cast<double>().Max(Math.Abs);
    }

    /// <summary>Teacher's correlation minus the student's, [K, K], each in -2..2.</summary>
    public double[,] Values { get; }

    /// <summary>The mean of the absolute differences: 0 where the student relates all classes as its teacher does.</summary>
    public double MeanAbsolute { get; }

    /// <summary>The largest of the absolute differences.</summary>
    public double LargestAbsolute { get; }

    /// <summary>Compares what two networks make of the same images.</summary>
    /// <exception cref="ArgumentException">The images or the number of classes differ.</exception>
    public static CorrelationDifference Of(NetworkOutputs teacher, NetworkOutputs student)
    {
        if (!teacher.Labels.SequenceEqual(student.Labels) || teacher.Classes != student.Classes)
            throw new ArgumentException("teacher and student were not run over the same images with the same classes");
        var ours = Correlations(student.Logits, student.Count, student.Classes);
        var theirs = Correlations(teacher.Logits, teacher.Count, teacher.Classes);
        for (var i = 0; i < teacher.Classes; i++)
            for (var j = 0; j < teacher.Classes; j++)
                theirs[i, j] -= ours[i, j];
        return new(theirs);
    }

    /// <summary>Pearson's correlation between columns, [K, K]. A column that does not vary correlates with itself alone.</summary>
    /// <param name="values">[N, K], row-major.</param>
    /// <param name="rows">N.</param>
    /// <param name="columns">K.</param>
    public static double[,] Correlations(ReadOnlySpan<float> values, int rows, int columns)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var x = Tensor.From(values, rows, columns).To(DType.Float64);
        var centered = x - x.Mean(0, keep: true);
        var covariance = centered.Transpose().MatMul(centered).ToArray<double>();
        var correlations = new double[columns, columns];
        for (var i = 0; i < columns; i++)
            for (var j = 0; j < columns; j++)
            {
                var scale = Math.Sqrt(covariance[i * columns + i] * covariance[j * columns + j]);
                correlations[i, j] = i == j ? 1 : scale > 0 ? Math.Clamp(covariance[i * columns + j] / scale, -1, 1) : 0;
            }
        return correlations;
    }
}
