using System.Numerics;
using System.Runtime.InteropServices;

namespace DistillSharp.Evaluation;

/// <summary>
/// The forces between the points of a map. With w_ij = 1 / (1 + |y_i - y_j|^2) and Z the sum of all w, point i is drawn by
/// sum_j P_ij w_ij (y_i - y_j) and pushed by sum_j w_ij^2 (y_i - y_j) / Z (van der Maaten and Hinton, 2008, equation 5,
/// without its factor 4). Every pair is computed: up to some ten thousand points vectors beat trees and grids, which pay
/// for each point what sixteen pairs cost here, and are only nearly right.
/// </summary>
/// <param name="affinities">P.</param>
/// <param name="threads">Threads to share the points among; the result does not depend on it.</param>
sealed class TsneForces(TsneAffinities affinities, int threads)
{
    const int BlockRows = 64;

    readonly int count = affinities.Starts.Length - 1;
    readonly float[] pushX = new float[affinities.Starts.Length - 1], pushY = new float[affinities.Starts.Length - 1];
    readonly float[] drawX = new float[affinities.Starts.Length - 1], drawY = new float[affinities.Starts.Length - 1];
    readonly double[] weights = new double[affinities.Starts.Length - 1];
    readonly ParallelOptions options = new() { MaxDegreeOfParallelism = threads };

    /// <summary>The sum Z at the last positions.</summary>
    public double Total { get; private set; }

    /// <summary>The gradient of the divergence at positions, P multiplied by the exaggeration, divided by 4; all are [N].</summary>
    public void Gradient(float[] x, float[] y, float exaggeration, float[] gradientX, float[] gradientY)
    {
        Parallel.For(0, (count + BlockRows - 1) / BlockRows, options, block =>
        {
            for (var i = block * BlockRows; i < Math.Min(count, (block + 1) * BlockRows); i++)
            {
                Push(i, x, y);
                Draw(i, x, y);
            }
        });
        Total = weights.Sum();
        var scale = (float)(1 / Total);
        for (var i = 0; i < count; i++)
        {
            gradientX[i] = exaggeration * drawX[i] - scale * pushX[i];
            gradientY[i] = exaggeration * drawY[i] - scale * pushY[i];
        }
    }

    /// <summary>Kullback and Leibler's divergence of P from the map at the positions of the last <see cref="Gradient"/>.</summary>
    public double Divergence(float[] x, float[] y)
    {
        var sum = 0.0;
        for (var i = 0; i < count; i++)
            for (var entry = affinities.Starts[i]; entry < affinities.Starts[i + 1]; entry++)
            {
                double dx = x[i] - x[affinities.Columns[entry]], dy = y[i] - y[affinities.Columns[entry]], p = affinities.Values[entry];
                if (p > 0) sum += p * Math.Log(p * Total * (1 + dx * dx + dy * dy));
            }
        return sum;
    }

    void Push(int i, float[] x, float[] y)
    {
        var (xi, yi) = (x[i], y[i]);
        var (wideX, wideY, one) = (new Vector<float>(xi), new Vector<float>(yi), Vector<float>.One);
        var (forceX, forceY, weight) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        var xs = MemoryMarshal.Cast<float, Vector<float>>(x);
        var ys = MemoryMarshal.Cast<float, Vector<float>>(y);
        for (var j = 0; j < xs.Length && j < ys.Length; j++)
        {
            var (dx, dy) = (wideX - xs[j], wideY - ys[j]);
            var w = one / Vector.FusedMultiplyAdd(dx, dx, Vector.FusedMultiplyAdd(dy, dy, one));
            weight += w;
            w *= w;
            forceX = Vector.FusedMultiplyAdd(w, dx, forceX);
            forceY = Vector.FusedMultiplyAdd(w, dy, forceY);
        }
        var (sumX, sumY, sum) = (Vector.Sum(forceX), Vector.Sum(forceY), (double)Vector.Sum(weight));
        for (var j = xs.Length * Vector<float>.Count; j < count; j++)
        {
            var (dx, dy) = (xi - x[j], yi - y[j]);
            var w = 1 / (1 + dx * dx + dy * dy);
            sum += w;
            sumX += w * w * dx;
            sumY += w * w * dy;
        }
        // A point does not push itself, but counted itself with w = 1.
        (pushX[i], pushY[i], weights[i]) = (sumX, sumY, sum - 1);
    }

    void Draw(int i, float[] x, float[] y)
    {
        var (xi, yi, sumX, sumY) = (x[i], y[i], 0f, 0f);
        var (columns, values) = (affinities.Columns, affinities.Values);
        for (var entry = affinities.Starts[i]; entry < affinities.Starts[i + 1]; entry++)
        {
            var (dx, dy) = (xi - x[columns[entry]], yi - y[columns[entry]]);
            var w = values[entry] / (1 + dx * dx + dy * dy);
            sumX += w * dx;
            sumY += w * dy;
        }
        (drawX[i], drawY[i]) = (sumX, sumY);
    }
}
