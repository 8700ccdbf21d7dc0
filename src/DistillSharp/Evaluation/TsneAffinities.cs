namespace DistillSharp.Evaluation;

/// <summary>
/// The joint probabilities P of t-SNE as a sparse matrix: row i's entries lie from <c>Starts[i]</c> up to
/// <c>Starts[i + 1]</c>. They are symmetric and add up to 1.
/// </summary>
/// <param name="Starts">[N + 1].</param>
/// <param name="Columns">The other point of each entry, rising within a row.</param>
/// <param name="Values">The probability of each entry.</param>
sealed record TsneAffinities(int[] Starts, int[] Columns, float[] Values)
{
    const int SearchSteps = 200;
    const double Tolerance = 1e-6;

    /// <summary>
    /// p(j|i) proportional to exp(-beta_i d_ij^2) over the neighbors of i, beta_i such that the row's perplexity is the one
    /// asked for; P = (p(j|i) + p(i|j)) / 2N.
    /// </summary>
    public static TsneAffinities Of(Neighbors neighbors, double perplexity)
    {
        var (count, rows) = (neighbors.Count, neighbors.Indices.Length / neighbors.Count);
        var conditional = new double[rows * count];
        Parallel.For(0, rows, i =>
            Conditional(neighbors.SquaredDistances.AsSpan(i * count, count), Math.Log(perplexity), conditional.AsSpan(i * count, count)));
        return Symmetric(rows, count, neighbors.Indices, conditional);
    }

    // Finds beta by bisection on the entropy, which falls as beta rises.
    static void Conditional(ReadOnlySpan<double> distances, double entropy, Span<double> result)
    {
        // The nearest is at the front. Taking its distance off changes no probability and keeps exp from underflow.
        var nearest = distances[0];
        var (beta, low, high) = (1.0, 0.0, double.PositiveInfinity);
        for (var step = 0; step < SearchSteps; step++)
        {
            double sum = 0, weighted = 0;
            for (var n = 0; n < distances.Length; n++)
            {
                var distance = distances[n] - nearest;
                var weight = Math.Exp(-beta * distance);
                result[n] = weight;
                sum += weight;
                weighted += weight * distance;
            }
            for (var n = 0; n < result.Length; n++) result[n] /= sum;
            var excess = Math.Log(sum) + beta * weighted / sum - entropy;
            if (Math.Abs(excess) < Tolerance) return;
            if (excess > 0) (low, beta) = (beta, double.IsInfinity(high) ? beta * 2 : (beta + high) / 2);
            else (high, beta) = (beta, (low + beta) / 2);
            // Neighbors all at one distance: no beta changes anything.
            if (!double.IsFinite(beta)) return;
        }
    }

    static TsneAffinities Symmetric(int rows, int count, int[] indices, double[] conditional)
    {
        var starts = new int[rows + 1];
        for (var entry = 0; entry < indices.Length; entry++)
        {
            starts[entry / count + 1]++;
            starts[indices[entry] + 1]++;
        }
        for (var i = 0; i < rows; i++) starts[i + 1] += starts[i];

        var (columns, values) = (new int[starts[rows]], new double[starts[rows]]);
        var next = starts[..rows];
        for (var entry = 0; entry < indices.Length; entry++)
        {
            var (i, j) = (entry / count, indices[entry]);
            (columns[next[i]], values[next[i]++]) = (j, conditional[entry]);
            (columns[next[j]], values[next[j]++]) = (i, conditional[entry]);
        }

        // Two points that are neighbors of each other have two entries in each row: they become one.
        var (merged, used) = (new int[rows + 1], 0);
        var (mergedColumns, mergedValues) = (new int[columns.Length], new float[columns.Length]);
        for (var i = 0; i < rows; i++)
        {
            var (from, length) = (starts[i], starts[i + 1] - starts[i]);
            Array.Sort(columns, values, from, length);
            for (var entry = from; entry < from + length; entry++)
            {
                var share = (float)(values[entry] / (2.0 * rows));
                if (entry > from && columns[entry] == columns[entry - 1]) mergedValues[used - 1] += share;
                else (mergedColumns[used], mergedValues[used++]) = (columns[entry], share);
            }
            merged[i + 1] = used;
        }
        return new(merged, mergedColumns[..used], mergedValues[..used]);
    }
}
