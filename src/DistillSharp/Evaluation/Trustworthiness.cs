namespace DistillSharp.Evaluation;

/// <summary>
/// How far a map's neighbors can be trusted to be neighbors in truth, 0..1 (Venna and Kaski, 2001): 1 less what points cost
/// that are among the k nearest in the map but only the r-th nearest in truth, r - k each, scaled by the worst case.
/// </summary>
public static class Trustworthiness
{
    const int BlockElements = 1 << 21;

    /// <summary>Measures a map.</summary>
    /// <param name="points">[N, D], row-major.</param>
    /// <param name="width">D.</param>
    /// <param name="map">Their map.</param>
    /// <param name="neighbors">k, below N / 2.</param>
    /// <exception cref="ArgumentException">Points and map are not equally many, or k is too large.</exception>
    public static double Of(ReadOnlySpan<float> points, int width, TsneMap map, int neighbors = 5)
    {
        var count = map.X.Length;
        if (points.Length != (long)count * width)
            throw new ArgumentException($"{points.Length} coordinates are not {count} points of {width}", nameof(points));
        if (neighbors < 1 || 2 * neighbors >= count)
            throw new ArgumentException($"{neighbors} neighbors are too many for {count} points, or none", nameof(neighbors));
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var x = Tensor.From(points, count, width).To(DType.Float64);
        x -= x.Mean(0, keep: true);
        var norms = (x * x).Sum(1);
        var transposed = x.Transpose();
        var flat = Tensor.Stack([Tensor.From(map.X), Tensor.From(map.Y)], 1).To(DType.Float64);
        var shown = Neighbors.Of(flat, neighbors);

        var penalty = 0L;
        var block = Math.Max(1, BlockElements / count);
        for (var start = 0; start < count; start += block)
        {
            using var inner = TensorScope.Open();
            var size = Math.Min(block, count - start);
            var distances = (norms - 2 * x.Narrow(0, start, size).MatMul(transposed)).ToArray<double>();
            Parallel.For(0, size, row =>
            {
                var all = distances.AsSpan(row * count, count);
                var cost = 0L;
                foreach (var j in shown.Indices.AsSpan((start + row) * neighbors, neighbors))
                {
                    // The point itself is nearer than every other and would count as the first; ties count for the map.
                    var rank = 1;
                    for (var k = 0; k < count; k++)
                        if (all[k] < all[j] && k != start + row) rank++;
                    cost += Math.Max(0, rank - neighbors);
                }
                Interlocked.Add(ref penalty, cost);
            });
        }
        return 1 - penalty * 2.0 / ((double)count * neighbors * (2.0 * count - 3 * neighbors - 1));
    }
}
