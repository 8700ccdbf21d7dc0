using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Methods;

/// <summary>
/// Relational knowledge distillation. Park, Kim, Lu, Cho: Relational Knowledge Distillation, CVPR 2019, arXiv 1904.05068,
/// equations 6 to 10. For the pooled features x of a batch of N images:
/// <code>
/// d_ij  = ||x_i - x_j||,   D_ij = d_ij / mean of d over i != j
/// A_ijk = &lt;e_ij, e_ik&gt;,    e_ij = (x_j - x_i) / d_ij, 0 where x_i and x_j coincide
/// L     = w_d mean of h(D(s), D(t)) + w_a mean of h(A(s), A(t)),   h: smooth L1
/// </code>
/// Both follow from the inner products G_ij = &lt;x_i, x_j&gt;: &lt;x_j - x_i, x_k - x_i&gt; = G_jk - G_ij - G_ik + G_ii, differences of large
/// numbers where points lie close together, and therefore taken in float64. The angles are computed for a few i at a time, so that
/// neither N x N x D nor N x N x N values are ever in memory.
/// </summary>
public sealed class Rkd : DistillationMethod
{
    // Points nearer than a millionth of their norms coincide: their products cannot tell in which direction they differ.
    const double Apart = 1e-12;
    static readonly Operator diagonal = new("aten::diagonal");

    /// <inheritdoc/>
    public override string Name => "rkd";

    /// <summary>w_d.</summary>
    [Setting("weight of the distances")]
    public double DistanceWeight { get; set; } = 25;

    /// <summary>w_a.</summary>
    [Setting("weight of the angles")]
    public double AngleWeight { get; set; } = 50;

    /// <inheritdoc/>
    public override Features StudentFeatures => Features.Pooled;

    /// <inheritdoc/>
    public override Features? TeacherFeatures => Features.Pooled;

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var s = new Relations(step.Student.Pooled!);
        var t = new Relations(step.Teacher.Pooled!);
        return
        [
            new("rkd.distance", scope.Keep(Functional.SmoothL1(s.D, t.D).To(DType.Float32) * DistanceWeight)),
            new("rkd.angle", scope.Keep(Angles(s, t) * AngleWeight)),
        ];
    }

    static Tensor Angles(Relations s, Relations t)
    {
        var N = s.G.Size(0);
        // On the CPU a piece stays in the second-level cache, on a GPU it keeps the processors busy.
        var piece = Math.Max(1, (s.G.Device.Type == DeviceType.Cpu ? 1 << 17 : 1 << 22) / (N * N));
        return KnownGradient.Sum(
            (int)((N + piece - 1) / piece),
            (k, x) =>
            {
                var (first, count) = (k * piece, Math.Min(piece, N - k * piece));
                var h = Functional.SmoothL1(A(x[0], x[1], first, count), A(t.G, t.PerDistance, first, count));
                return h * (count / (double)N);
            },
            s.G,
            s.PerDistance);
    }

    // A_ijk for i from first on: [count, N, N].
    static Tensor A(Tensor G, Tensor perDistance, long first, long count)
    {
        var Gii = diagonal.Call(G).Narrow(0, first, count).Unsqueeze(1);
        var towards = G.Narrow(0, first, count) - Gii / 2.0;
        var r = perDistance.Narrow(0, first, count);
        return (G - (towards.Unsqueeze(2) + towards.Unsqueeze(1))).To(DType.Float32) * (r.Unsqueeze(2) * r.Unsqueeze(1));
    }

    /// <summary>What is known of the points x [N, D]; each [N, N].</summary>
    sealed class Relations
    {
        public Relations(Tensor x)
        {
            var points = x.To(DType.Float64);
            // Distances and angles do not change with the origin; from the centre the products lose the fewest digits.
            points -= points.Detach().Mean(0);
            G = points.MatMul(points.Transpose());

            var N = G.Size(0);
            var norms = diagonal.Call(G);
            var scale = norms.Unsqueeze(0) + norms.Unsqueeze(1);
            var square = scale - G * 2.0;
            var others = 1.0 - Tensor.Eye(N, DType.Float64, G.Device);
            var d = square.Clamp(least: 1e-12).Sqrt();
            var sum = (d * others).Sum();
            D = d * others / (sum / Math.Max(1, N * (N - 1))).Clamp(least: 1e-12);
            var apart = (square - scale * Apart).Detach().GreaterThan(0).To(DType.Float64);
            PerDistance = (apart * others / d).To(DType.Float32);
        }

        /// <summary>&lt;x_i, x_j&gt; in float64, the mean of all points being the origin.</summary>
        public Tensor G { get; }

        /// <summary>D_ij, in float64.</summary>
        public Tensor D { get; }

        /// <summary>1 / d_ij, and 0 where the points coincide.</summary>
        public Tensor PerDistance { get; }
    }
}
