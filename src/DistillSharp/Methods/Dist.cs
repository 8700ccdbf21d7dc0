namespace DistillSharp.Methods;

/// <summary>
/// Distillation from a stronger teacher. Huang, You, Wang, Qian, Xu: Knowledge Distillation from A Stronger Teacher, NeurIPS 2022,
/// arXiv 2205.10536, equations 5 to 10. With s and t = softmax(z / T) of the two networks, [N, K], and rho Pearson's correlation:
/// <code>
/// L_inter = 1/N sum_i ( 1 - rho(s_i, t_i) ),    over the classes of each image
/// L_intra = 1/K sum_c ( 1 - rho(s_c, t_c) ),    over the images of each class
/// L       = T^2 ( beta L_inter + gamma L_intra )
/// </code>
/// </summary>
[Method("T^2 ( beta (1 - rho) over classes + gamma (1 - rho) over images ), rho Pearson's correlation",
    "Huang et al., NeurIPS 2022, arXiv 2205.10536",
    "T 4 for CIFAR-100 and 1 for ImageNet; all three are the paper's")]
public sealed class Dist : DistillationMethod
{
    // Added to the product of the lengths, as in the published code.
    const double Epsilon = 1e-8;

    double publishedTemperature = 4;

    public override string Name => "dist";

    public override bool IsRecordable => true;

    /// <summary>beta.</summary>
    [Setting("weight of the correlation over the classes of each image", AtLeast = 0)]
    public double Beta { get; set; } = 2;

    /// <summary>gamma.</summary>
    [Setting("weight of the correlation over the images of each class", AtLeast = 0)]
    public double Gamma { get; set; } = 2;

    /// <summary>T; null for the published one: 4, for ImageNet 1.</summary>
    [Setting("softens both distributions; unless set, 4, for ImageNet 1", Above = 0)]
    public double? Temperature { get; set; }

    double T => Temperature ?? publishedTemperature;

    public override void Follow(PairKind pair) => publishedTemperature = pair.IsImageNet ? 1 : 4;

    public override double? Published(string setting) => setting == "temperature" ? T : null;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Follow(pair.Kind);
        Require(Beta >= 0, "beta", Beta, "0 or more");
        Require(Gamma >= 0, "gamma", Gamma, "0 or more");
        Require(T > 0, "temperature", T, "greater than 0");
        return [$"dist: beta {Beta}, gamma {Gamma}, temperature {T}"];
    }

    public override bool ComparesImages => true;

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var s = Functional.Softmax(step.Student.Logits.To(DType.Float32) / T);
        var t = Functional.Softmax(step.Teacher.Logits.To(DType.Float32) / T);
        return
        [
            new("dist.inter", scope.Keep(OneMinusRho(s, t, over: 1) * (T * T * Beta))),
            new("dist.intra", scope.Keep(OneMinusRho(s, t, over: 0) * (T * T * Gamma))),
        ];
    }

    static Tensor OneMinusRho(Tensor s, Tensor t, long over)
    {
        (s, t) = (s - s.Mean(over, keep: true), t - t.Mean(over, keep: true));
        var rho = (s * t).Sum(over) / (s.Norm(over) * t.Norm(over) + Epsilon);
        return 1 - rho.Mean();
    }
}
