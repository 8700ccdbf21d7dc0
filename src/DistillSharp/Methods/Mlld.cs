using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Multi-level logit distillation. Jin, Wang, Lin: Multi-Level Logit Distillation, CVPR 2023. With s and t = softmax(z / T) of the two
/// networks, [N, K], summed over the temperatures T = 2, 3, 4, 5, 6:
/// <code>
/// L_ins   = T^2 / N sum_i KL( t_i || s_i ),               of the first view and of the second
/// L_batch = 1/N || s s^T - t t^T ||^2_F,                  [N, N]: how images relate
/// L_class = 1/K || s^T s - t^T t ||^2_F,                  [K, K]: how classes relate
/// L       = L_ins + L_batch + L_class
/// </code>
/// The second view is augmented more than the first. As in the published code the batch and class levels compare the first view, and
/// cross-entropy is summed over both. That code also multiplies the terms of the first view by a mask of the less confident half, which
/// comes to halving them; here they count whole.
/// </summary>
[Method("sum over T: T^2 KL( t || s ) of two views + 1/N ||s s^T - t t^T||^2 + 1/K ||s^T s - t^T t||^2, s and t softmax(z/T)",
    "Jin, Wang, Lin, CVPR 2023",
    "T 2 to 6, 0.9 beside 0.1 of cross-entropy, the published code's")]
public sealed class Mlld : DistillationMethod
{
    static readonly double[] temperatures = [2, 3, 4, 5, 6];

    public override string Name => "mlld";

    public override bool IsRecordable => true;

    protected override double DefaultWeight => 0.9;

    public override double CrossEntropyWeight => 0.1;

    public override bool NeedsSecondView => true;

    public override bool ComparesImages => true;

    public override IReadOnlyList<string> Bind(DistillationPair pair) =>
        [$"mlld: temperatures {string.Join(", ", temperatures)}, two views of each image"];

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        using var precise = Precision.Fp32.Enter(step.Student.Logits.Device);
        var second = step.Second ?? throw new UsageException("mlld compares two views of each image, and the step has one");
        var (s, t) = Logits(step.Student, step.Teacher);
        var (s2, t2) = Logits(second.Student, second.Teacher);
        var (N, K) = (s.Size(0), s.Size(1));
        return
        [
            new("mlld.instance", scope.Keep(OverTemperatures(T => Divergence(s, t, T) + Divergence(s2, t2, T)))),
            new("mlld.batch", scope.Keep(OverTemperatures(T => Distance(Images(s, T), Images(t, T)) / N))),
            new("mlld.class", scope.Keep(OverTemperatures(T => Distance(Classes(s, T), Classes(t, T)) / K))),
        ];
    }

    static (Tensor Student, Tensor Teacher) Logits(ClassifierOutput student, ClassifierOutput teacher) =>
        (student.Logits.To(DType.Float32), teacher.Logits.To(DType.Float32));

    static Tensor OverTemperatures(Func<double, Tensor> level) => temperatures.Select(level).Aggregate((sum, term) => sum + term);

    static Tensor Divergence(Tensor s, Tensor t, double T) =>
        Functional.KlDivergence(Functional.LogSoftmax(s / T), Functional.LogSoftmax(t / T)).Sum(1).Mean() * (T * T);

    static Tensor Images(Tensor z, double T)
    {
        var p = Functional.Softmax(z / T);
        return p.MatMul(p.Transpose());
    }

    static Tensor Classes(Tensor z, double T)
    {
        var p = Functional.Softmax(z / T);
        return p.Transpose().MatMul(p);
    }

    static Tensor Distance(Tensor a, Tensor b) => (a - b).Pow(2).Sum();
}
