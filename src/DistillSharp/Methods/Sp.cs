using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Similarity-preserving distillation. Tung, Mori: Similarity-Preserving Knowledge Distillation, ICCV 2019, arXiv 1907.09682,
/// equations 1 to 4. For a feature A of a batch of N images, each image one row:
/// <code>
/// G(A) = A A', each row divided by its norm,    [N, CHW] to [N, N]
/// L    = 1/N^2 ||G(s) - G(t)||^2
/// </code>
/// s and t are the last stages of the two networks.
/// </summary>
[Method("1/N^2 ||G(s) - G(t)||^2, G = similarities of the images of a batch",
    "Tung, Mori, ICCV 2019, arXiv 1907.09682",
    "the public benchmarks'")]
public sealed class Sp() : DistillationMethod(Features.Stages)
{
    public override string Name => "sp";

    public override bool IsRecordable => true;

    protected override double DefaultWeight => 3000;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        var (s, t) = (pair.Student.Shapes.Stages, pair.Teacher.Shapes.Stages);
        return [$"sp: the student's last stage ({s[^1]}) meets the teacher's ({t[^1]})"];
    }

    public override bool ComparesImages => true;

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (s, t) = (step.Student.Stages![^1], step.Teacher.Stages![^1]);
        using var precise = Precision.Fp32.Enter(s.Device);
        return [new(Name, scope.Keep(Functional.MeanSquaredError(G(s), G(t))))];
    }

    static Tensor G(Tensor features)
    {
        var A = features.To(DType.Float32).Flatten(1);
        return Functional.Normalize(A.MatMul(A.Transpose()));
    }
}
