using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Relational knowledge distillation. Park, Kim, Lu, Cho: Relational Knowledge Distillation, CVPR 2019, arXiv 1904.05068,
/// equations 6 to 10. For the pooled features x of a batch of N images:
/// <code>
/// d_ij  = ||x_i - x_j||,   D_ij = d_ij / mean of d over i != j
/// e_ij  = (x_j - x_i) / ||x_j - x_i||,   A_ijk = &lt;e_ij, e_ik&gt;
/// L     = w_d mean of h(D(s), D(t)) + w_a mean of h(A(s), A(t)),   h: smooth L1
/// </code>
/// The angles are computed for a few i at a time, so that neither N x N x D nor N x N x N values are ever in memory.
/// </summary>
[Method("h( D(s), D(t) ) and h( A(s), A(t) ): distances and angles between images, smooth L1",
    "Park et al., CVPR 2019, arXiv 1904.05068",
    "the paper's")]
public sealed class Rkd() : DistillationMethod(Features.Pooled)
{
    public override string Name => "rkd";

    public override bool IsRecordable => true;

    /// <summary>w_d.</summary>
    [Setting("weight of the distances", AtLeast = 0)]
    public double DistanceWeight { get; set; } = 25;

    /// <summary>w_a.</summary>
    [Setting("weight of the angles", AtLeast = 0)]
    public double AngleWeight { get; set; } = 50;

    public override bool ComparesImages => true;

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        using var precise = Precision.Fp32.Enter(step.Student.Pooled!.Device);
        var (s, t) = (step.Student.Pooled!.To(DType.Float32), step.Teacher.Pooled!.To(DType.Float32));
        // One image is in no relation to another.
        var (distance, angle) = s.Size(0) > 1
            ? (Functional.SmoothL1(D(s), D(t)) * DistanceWeight, Angles(s, t))
            : (s.Sum() * 0, s.Sum() * 0);
        return [new("rkd.distance", scope.Keep(distance)), new("rkd.angle", scope.Keep(angle))];
    }

    static Tensor D(Tensor x)
    {
        var N = x.Size(0);
        var square = x.Pow(2).Sum(1);
        var product = x.MatMul(x.Transpose());
        var d = (square.Unsqueeze(1) + square.Unsqueeze(0) - product * 2.0).Clamp(min: 1e-12).Sqrt()
            .MaskedFill(Tensor.Eye(N, device: x.Device).GreaterThan(0), 0);
        // Cut behind its first element into rows of N + 1, a square matrix has its diagonal in the last column.
        var others = d.Flatten().Narrow(0, 1, N * N - 1).Reshape(N - 1, N + 1).Narrow(1, 0, N);
        return d / others.Reshape(-1).Mean();
    }

    Tensor Angles(Tensor s, Tensor t)
    {
        var N = s.Size(0);
        // As many i as keep one tensor of differences or angles within 4 MiB on the CPU (its cache) and 64 MiB on a GPU.
        var each = N * Math.Max(N, Math.Max(s.Size(1), t.Size(1)));
        var piece = Math.Clamp((s.Device.Type == DeviceType.Cpu ? 1 << 20 : 1 << 24) / each, 1, N);
        if (piece == N) return Part(s, 0, N);
        return KnownGradient.Sum((int)((N + piece - 1) / piece), (k, x) => Part(x, k * piece, Math.Min(piece, N - k * piece)), s);

        Tensor Part(Tensor s, long first, long count)
        {
            Tensor target;
            using (Autograd.NoGrad()) target = A(t, first, count);
            return Functional.SmoothL1(A(s, first, count), target) * (AngleWeight * count / N);
        }
    }

    // A_ijk for i from first on: [count, N, N]. Where x_i and x_j coincide, e_ij is 0.
    static Tensor A(Tensor x, long first, long count)
    {
        var differences = x.Unsqueeze(0) - x.Narrow(0, first, count).Unsqueeze(1);
        var length = differences.Norm(2, keep: true);
        var e = differences / length.MaskedFill(length.EqualTo(0), 1);
        return e.MatMul(e.Transpose(1, 2));
    }
}
