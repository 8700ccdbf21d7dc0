namespace DistillSharp.Methods;

/// <summary>
/// Knowledge distillation. Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, 2015, arXiv 1503.02531.
/// <code>
/// L = T^2 / N sum_i KL( softmax(t_i / T) || softmax(s_i / T) )
/// </code>
/// The weights are those of the public benchmarks: 0.9 beside 0.1 of cross-entropy, for ImageNet 0.5 beside 0.5. With
/// <see cref="Standardize"/>, t and s are standardized first (<see cref="LogitStandardization"/>).
/// </summary>
[Method("T^2 KL( softmax(t/T) || softmax(s/T) )",
    "Hinton, Vinyals, Dean 2015, arXiv 1503.02531",
    "T 4, 0.9 beside 0.1 of cross-entropy (ImageNet 1, 0.5, 0.5), the public benchmarks'; standardized T 2, 9 (Sun 2024)")]
public sealed class Kd : DistillationMethod
{
    bool isImageNet;

    public override string Name => "kd";

    public override bool IsRecordable => true;

    /// <summary>T; null for the published one: 4, for ImageNet 1, standardized 2.</summary>
    [Setting("softens both distributions; unless set, 4, for ImageNet 1, standardized 2", Above = 0)]
    public double? Temperature { get; set; }

    /// <summary>Whether the logits are standardized first.</summary>
    [Setting(LogitStandardization.Setting)]
    public bool Standardize { get; set; }

    protected override double DefaultWeight => Standardize ? LogitStandardization.Weight : isImageNet ? 0.5 : 0.9;

    public override bool WeightsDependOnPair => true;

    public override double CrossEntropyWeight => isImageNet ? 0.5 : 0.1;

    double T => Temperature ?? (Standardize ? LogitStandardization.Temperature : isImageNet ? 1 : 4);

    public override void Follow(PairKind pair) => isImageNet = pair.IsImageNet;

    public override double? Published(string setting) => setting == "temperature" ? T : null;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Follow(pair.Kind);
        Require(T > 0, "temperature", T, "greater than 0");
        return [$"kd: temperature {T}{(Standardize ? ", logits standardized" : "")}"];
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (s, t) = (step.Student.Logits.To(DType.Float32), step.Teacher.Logits.To(DType.Float32));
        if (Standardize) (s, t) = (LogitStandardization.Z(s), LogitStandardization.Z(t));
        var divergence = Functional.KlDivergence(Functional.LogSoftmax(s / T), Functional.LogSoftmax(t / T)).Sum(1).Mean();
        return [new(Name, scope.Keep(divergence * (T * T)))];
    }
}
