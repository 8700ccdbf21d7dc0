using DistillSharp.Methods;
using DistillSharp.Torch;

namespace FashionMnist;

/// <summary>
/// A loss of one's own, the part between classes of Huang et al.: Knowledge Distillation from A Stronger Teacher, NeurIPS 2022,
/// arXiv 2205.10536. L = 1 - 1/N sum_i corr(s_i, t_i): the student is free in the scale and the offset of its logits.
/// </summary>
public sealed class Agreement : DistillationMethod
{
    public override string Name => "agreement";

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var correlation = (Centered(step.Student.Logits) * Centered(step.Teacher.Logits)).Sum(1).Mean();
        return [new(Name, scope.Keep(1 - correlation))];
    }

    static Tensor Centered(Tensor logits)
    {
        var values = logits.To(DType.Float32);
        return Functional.Normalize(values - values.Mean(1, keep: true));
    }
}
