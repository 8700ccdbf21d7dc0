namespace DistillSharp.Evaluation;

/// <summary>The nearest other points of each point by Euclidean distance.</summary>
/// <param name="Count">Neighbors of each point, k.</param>
/// <param name="Indices">[N, k], nearest first.</param>
/// <param name="SquaredDistances">[N, k].</param>
sealed record Neighbors(int Count, int[] Indices, double[] SquaredDistances)
{
    // Rows of the distance matrix in memory at a time.
    const int BlockElements = 1 << 22;

    /// <summary>Finds them exactly, by blocks of the distance matrix, on the points' device.</summary>
    /// <param name="points">float64 [N, D].</param>
    /// <param name="count">k, below N.</param>
    public static Neighbors Of(Tensor points, int count)
    {
        using var scope = TensorScope.Open();
        var (rows, width) = ((int)points.Size(0), (int)points.Size(1));
        var x = points.To(DType.Float32).Contiguous();
        var norms = (x * x).Sum(1);
        var transposed = x.Transpose();
        var indices = new int[rows * count];
        var block = Math.Max(1, BlockElements / rows);
        for (var start = 0; start < rows; start += block)
        {
            using var inner = TensorScope.Open();
            var size = Math.Min(block, rows - start);
            // |a - b|^2 without |a|^2, which does not change a row's order; negative, since the largest are taken.
            var closeness = 2 * x.Narrow(0, start, size).MatMul(transposed) - norms;
            var nearest = closeness.TopK(count + 1).Indices.ToArray<int>();
            // The point itself is among its nearest, but not always first: others may lie at the same place.
            for (var (row, at) = (start, start * count); row < start + size; row++, at += count)
                nearest.Skip((row - start) * (count + 1)).Take(count + 1).Where(j => j != row).Take(count).ToArray().CopyTo(indices, at);
        }

        // The distances anew: the difference of large squares would leave them few digits.
        var values = points.ToArray<double>();
        var distances = new double[indices.Length];
        Parallel.For(0, rows, i =>
        {
            var mine = indices.AsSpan(i * count, count);
            var far = distances.AsSpan(i * count, count);
            for (var n = 0; n < count; n++)
            {
                var sum = 0.0;
                for (var d = 0; d < width; d++)
                {
                    var difference = values[i * width + d] - values[mine[n] * width + d];
                    sum += difference * difference;
                }
                far[n] = sum;
            }
            far.Sort(mine);
        });
        return new(count, indices, distances);
    }
}
