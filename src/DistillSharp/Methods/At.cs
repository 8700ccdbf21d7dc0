using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Attention transfer. Zagoruyko, Komodakis: Paying More Attention to Attention, ICLR 2017, arXiv 1612.03928, section 3.1.
/// <code>
/// F(A) = mean over channels c of |A_c|^p,      [N, C, H, W] to [N, HW]
/// Q(A) = F(A) / ||F(A)||
/// L    = sum over stages of the mean of (Q(s) - Q(t))^2
/// </code>
/// The stages are those that meet in a <see cref="StageMethod"/>.
/// </summary>
[Method("||Q(s) - Q(t)||^2, Q = normalized mean of |A_c|^p, summed over stages",
    "Zagoruyko, Komodakis, ICLR 2017, arXiv 1612.03928",
    "the paper's p; the public benchmarks' weight")]
public sealed class At : StageMethod
{
    public override string Name => "at";

    public override bool IsRecordable => true;

    protected override double DefaultWeight => 1000;

    /// <summary>p.</summary>
    [Setting("the power that activations are raised to", AtLeast = 1)]
    public double P { get; set; } = 2;

    protected override void Prepare(IReadOnlyList<(FeatureShape Student, FeatureShape Teacher)> stages) =>
        Require(P >= 1, "p", P, "1 or more");

    protected override Tensor StageLoss(int stage, Tensor s, Tensor t) => Functional.MeanSquaredError(Q(s), Q(t));

    Tensor Q(Tensor A)
    {
        var magnitude = A.To(DType.Float32);
        // An even power needs no absolute value.
        if (P % 2 != 0) magnitude = magnitude.Abs();
        return Functional.Normalize(magnitude.Pow(P).Mean([1]).Flatten(1));
    }
}
