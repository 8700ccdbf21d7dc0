namespace DistillSharp.Methods;

/// <summary>
/// Neuron selectivity transfer. Huang, Wang: Like What You Like: Knowledge Distill via Neuron Selectivity Transfer, 2017,
/// arXiv 1707.01219, equations 7 and 9: the squared maximum mean discrepancy between the channels of the two networks, with the
/// polynomial kernel k(x, y) = (x . y)^2. For the channels f_c of a stage, each divided by its norm over the image's places:
/// <code>
/// L = sum over stages of  mean k(t_c, t_d) + mean k(s_c, s_d) - 2 mean k(t_c, s_d)
/// </code>
/// the means being over the images and over all pairs of channels. The stages are those that meet in a <see cref="StageMethod"/>.
/// </summary>
[Method("squared MMD of the channels, kernel (x.y)^2, summed over stages",
    "Huang, Wang 2017, arXiv 1707.01219",
    "the public benchmarks'")]
public sealed class Nst : StageMethod
{
    public override string Name => "nst";

    public override bool IsRecordable => true;

    protected override double DefaultWeight => 50;

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var precise = Precision.Fp32.Enter(step.Student.Stages![0].Device);
        return base.Compute(step);
    }

    protected override Tensor StageLoss(int stage, Tensor s, Tensor t)
    {
        (s, t) = (Channels(s), Channels(t));
        var (places, channels) = (s.Size(2), Math.Max(s.Size(1), t.Size(1)));
        if (places > channels) return K(t, t) + K(s, s) - 2.0 * K(t, s);
        // With as many channels as places or more, the same is cheaper over pairs of places p and q:
        // sum_cd (x_c . y_d)^2 = sum_pq ( sum_c x_cp x_cq ) ( sum_d y_dp y_dq ), so L is a squared distance of such matrices.
        return (Places(t) - Places(s)).Pow(2).Sum() / s.Size(0);
    }

    // [N, C, HW], each channel of length 1.
    static Tensor Channels(Tensor features) => Functional.Normalize(features.To(DType.Float32).Flatten(2), 2);

    static Tensor K(Tensor x, Tensor y) => x.MatMul(y.Transpose(1, 2)).Pow(2).Mean();

    static Tensor Places(Tensor x) => x.Transpose(1, 2).MatMul(x) / x.Size(1);
}
