namespace DistillSharp.Evaluation;

/// <summary>Principal component analysis: the directions in which points vary most.</summary>
static class PrincipalComponents
{
    /// <summary>
    /// The points in the coordinates of their first principal components, centered. Each component's sign is such that its
    /// entry of largest magnitude is positive, so that the result is one and the same everywhere.
    /// </summary>
    /// <param name="points">[N, D], of floating point.</param>
    /// <param name="components">How many to keep, at most D.</param>
    /// <returns>float64 [N, components]; distances between points are kept where all components are.</returns>
    public static Tensor Project(Tensor points, int components)
    {
        using var scope = TensorScope.Open();
        var x = points.To(DType.Float64);
        var centered = x - x.Mean(0, keep: true);
        var width = (int)x.Size(1);
        var (_, vectors) = centered.Transpose().MatMul(centered).SymmetricEigen();
        var columns = vectors.ToArray<double>();
        var chosen = new double[width * components];
        for (var c = 0; c < components; c++)
        {
            var from = width - 1 - c;
            var largest = Enumerable.Range(0, width).Select(d => columns[d * width + from]).MaxBy(Math.Abs);
            for (var d = 0; d < width; d++) chosen[d * components + c] = columns[d * width + from] * Math.Sign(largest);
        }
        return scope.Keep(centered.MatMul(Tensor.From(chosen, width, components).To(points.Device)));
    }
}
