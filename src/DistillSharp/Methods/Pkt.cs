using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Probabilistic knowledge transfer. Passalis, Tefas: Learning Deep Representations with Probabilistic Knowledge Transfer,
/// ECCV 2018, arXiv 1803.10837, equations 3 to 6, with the cosine kernel. For the pooled features x of a batch of N images:
/// <code>
/// K_ij   = ( cos(x_i, x_j) + 1 ) / 2
/// p_j|i  = K_ij / sum_k K_ik
/// L      = 1/N^2 sum_ij t_j|i log( t_j|i / s_j|i ),   s and t being p of the student and of the teacher
/// </code>
/// As in the published code, 1e-7 is added to lengths and to both probabilities under the logarithm.
/// </summary>
[Method("KL of the probabilities of neighbors, cosine kernel",
    "Passalis, Tefas, ECCV 2018, arXiv 1803.10837",
    "the public benchmarks'")]
public sealed class Pkt() : DistillationMethod(Features.Pooled)
{
    const double Epsilon = 1e-7;

    public override string Name => "pkt";

    public override bool IsRecordable => true;

    protected override double DefaultWeight => 30000;

    public override bool ComparesImages => true;

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        using var precise = Precision.Fp32.Enter(step.Student.Pooled!.Device);
        var (s, t) = (P(step.Student.Pooled!), P(step.Teacher.Pooled!));
        var loss = (t * ((t + Epsilon) / (s + Epsilon)).Log()).Mean();
        return [new(Name, scope.Keep(loss.To(DType.Float32)))];
    }

    // The divergence is of second order in what s and t differ by, and its terms are of first: near the teacher float32's rounding of
    // the probabilities, whose sums are then not 1, would be much of it.
    static Tensor P(Tensor pooled)
    {
        var x = pooled.To(DType.Float32);
        x /= x.Norm(1, keep: true) + Epsilon;
        var K = (x.MatMul(x.Transpose()).To(DType.Float64) + 1.0) / 2;
        return K / K.Sum(1, keep: true);
    }
}
