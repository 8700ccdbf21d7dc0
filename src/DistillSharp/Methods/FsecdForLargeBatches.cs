namespace DistillSharp.Methods;

/// <summary>
/// <see cref="Fsecd"/>'s loss with its gradient written out. With P = softmax(S), row by row,
/// <code>
/// dL/dz_i = ( sum_j P_ij u_j - U_i ) / (N tau)
/// dL/ds_i = ( dL/dz_i - (z_i . dL/dz_i) z_i ) / ||s_i||
/// </code>
/// So of the N x N matrix only the softmax is needed, of a few rows at a time, and the loss costs little more than its two matrix
/// products; the graph of the plain form passes over the matrix several times more.
/// </summary>
static class FsecdForLargeBatches
{
    /// <summary>The loss, a single element.</summary>
    /// <param name="s">[n, b]: the embedded features of the student, float32.</param>
    /// <param name="u">[N, b]: the normalized features of the teacher.</param>
    /// <param name="U">[N, b]: in row i the mean of u over P(i); u itself where P(i) = { i }.</param>
    /// <param name="own">Which of the N rows are the student's n; the loss is their mean.</param>
    /// <param name="tau">The temperature.</param>
    public static Tensor Loss(Tensor s, Tensor u, Tensor U, RowRange own, double tau)
    {
        var (loss, gradient) = WithGradient(s, u, U, own, tau);
        return loss + KnownGradient.Nothing(s, gradient);
    }

    static (Tensor Loss, Tensor Gradient) WithGradient(Tensor s, Tensor u, Tensor U, RowRange own, double tau)
    {
        using var off = Autograd.NoGrad();
        var (N, rows) = (s.Size(0), RowsAtOnce(u));
        var length = s.Norm(1, keep: true).Clamp(min: 1e-12);
        var z = s / length;
        var scaled = z / tau;
        var losses = Tensor.Empty([N], device: s.Device);
        var gradient = Tensor.Empty([N, u.Size(1)], device: s.Device);
        for (long first = 0; first < N; first += rows)
        {
            using var inner = TensorScope.Open();
            var count = Math.Min(rows, N - first);
            var S = scaled.Narrow(0, first, count).MatMul(u.Transpose());
            var P = Functional.Softmax(S);
            // In the place of the greatest similarity, P is 1 over the sum of the exponentials. The difference to S_ii comes
            // first: where S_ii is the greatest, as it will be, nothing is lost to rounding.
            losses.Narrow(0, first, count).CopyFrom(S.Max(1) - S.Narrow(1, own.First + first, count).Diagonal() - P.Max(1).Log());
            P.MatMulInto(u, gradient.Narrow(0, first, count));
        }
        var loss = losses.Mean();
        if (U != u) loss += (scaled * (own.Of(u) - own.Of(U))).Sum(1).Mean();
        gradient.AddInPlace(own.Of(U), -1);
        gradient.AddInPlace(z * (z * gradient).Sum(1, keep: true), -1);
        return (loss, gradient / (length * (N * tau)));
    }

    // As many as stay in the processor's cache, and on a GPU as take 256 MiB.
    static long RowsAtOnce(Tensor u) => Math.Max(1, (u.Device.Type == DeviceType.Cpu ? 1 << 19 : 1 << 26) / u.Size(0));
}
