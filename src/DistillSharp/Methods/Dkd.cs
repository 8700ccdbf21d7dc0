namespace DistillSharp.Methods;

/// <summary>
/// Decoupled knowledge distillation. Zhao, Cui, Song, Qiu, Liang: Decoupled Knowledge Distillation, CVPR 2022,
/// arXiv 2203.08679, equation 7. For a label y and logits z over the temperature T:
/// <code>
/// p = softmax(z / T),   b = [ p_y, 1 - p_y ],   q_c = p_c / (1 - p_y) for the other classes c
/// TCKD = KL( b(t) || b(s) ),   NCKD = KL( q(t) || q(s) )
/// L    = min(epoch / warm-up, 1) * T^2 / N sum_i ( alpha TCKD_i + beta NCKD_i )
/// </code>
/// log q is a log-softmax from which the label's class is masked out. log b is taken from b as published, where b is a normal
/// number; where it vanishes, from the log-softmax of all classes: log(1 - p_y) is the log-sum-exp of log p over the others. So
/// nothing overflows, no logarithm is taken of a 0, and published runs are reproduced to the last bit. With
/// <see cref="Standardize"/>, the logits are standardized first (<see cref="LogitStandardization"/>).
/// </summary>
[Method("T^2 ( alpha KL of target or not + beta KL among the others )",
    "Zhao et al., CVPR 2022, arXiv 2203.08679",
    "beta by the pair, T 4, warm-up 20 (ImageNet 1, 1), the published code's; standardized T 2, weight 9 (Sun 2024)")]
public sealed class Dkd : DistillationMethod
{
    // The published beta of each pair, teacher first.
    static readonly Dictionary<(string Teacher, string Student), double> betas = new()
    {
        [("vgg13", "vgg8")] = 6, [("vgg13", "mobilenet_v2_half")] = 6,
        [("wrn_40_2", "wrn_16_2")] = 6, [("wrn_40_2", "wrn_40_1")] = 6,
        [("resnet56", "resnet20")] = 2, [("resnet110", "resnet32")] = 2,
        [("resnet34", "resnet18")] = 0.5, [("resnet50", "mobilenet_v1")] = 2,
    };

    double publishedBeta = 8;
    bool isImageNet;

    public override string Name => "dkd";

    public override bool IsRecordable => true;

    public override bool NeedsOneLabel => true;

    /// <summary>The published beta of a pair: 8, or 6, 2, 0.5 for the pairs that have their own.</summary>
    public static double PublishedBeta(string teacher, string student) => betas.GetValueOrDefault((teacher, student), 8);

    /// <summary>alpha.</summary>
    [Setting("weight of the target class's part (TCKD)")]
    public double Alpha { get; set; } = 1;

    /// <summary>beta; null for the pair's published one (<see cref="PublishedBeta"/>).</summary>
    [Setting("weight of the other classes' part (NCKD); unless set, the pair's published one, else 8")]
    public double? Beta { get; set; }

    /// <summary>T; null for the published one: 4, for ImageNet 1, standardized 2.</summary>
    [Setting("softens both distributions; unless set, 4, for ImageNet 1, standardized 2", Above = 0)]
    public double? Temperature { get; set; }

    /// <summary>Whether the logits are standardized first.</summary>
    [Setting(LogitStandardization.Setting)]
    public bool Standardize { get; set; }

    /// <summary>Over how many epochs the loss rises to its full weight; null for the published number: 20, for ImageNet 1.</summary>
    [Setting("epochs over which the loss rises to its weight; unless set, 20, for ImageNet 1", AtLeast = 0)]
    public double? Warmup { get; set; }

    protected override double DefaultWeight => Standardize ? LogitStandardization.Weight : 1;

    public override void Follow(PairKind pair) =>
        (isImageNet, publishedBeta) = (pair.IsImageNet, PublishedBeta(pair.Teacher, pair.Student));

    public override double? Published(string setting) => setting switch
    {
        "beta" => Settings.Beta,
        "temperature" => Settings.T,
        "warmup" => Settings.Warmup,
        _ => null,
    };

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Follow(pair.Kind);
        var (beta, T, warmUp) = Settings;
        Require(T > 0, "temperature", T, "greater than 0");
        Require(warmUp >= 0, "warmup", warmUp, "0 or more epochs");
        if (pair.Classes < 2) throw new UserException($"dkd: the data have {pair.Classes} class; it needs two, the label's and another");
        return [$"dkd: alpha {Alpha}, beta {beta}, temperature {T}, warm-up over {warmUp} epochs"
            + (Standardize ? ", logits standardized" : "")];
    }

    public override string? Doubt(int epochs) => WarmupDoubt(Settings.Warmup, epochs);

    (double Beta, double T, double Warmup) Settings => (Beta ?? publishedBeta,
        Temperature ?? (Standardize ? LogitStandardization.Temperature : isImageNet ? 1 : 4), Warmup ?? (isImageNet ? 1 : 20));

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (beta, T, warmUp) = Settings;
        var y = step.Labels.Unsqueeze(1);
        var isTarget = Tensor.Range(0, step.Student.Logits.Size(1), device: y.Device).EqualTo(y);

        var s = Parts(Softened(step.Student.Logits, T), y, isTarget);
        var t = Parts(Softened(step.Teacher.Logits, T), y, isTarget);
        var N = (double)y.Size(0);
        var tckd = Functional.KlDivergence(s.LogB, t.B, targetIsLog: false).Sum() * (T * T) / N;
        var nckd = Functional.KlDivergence(s.LogQ, t.Q, targetIsLog: false).Sum() * (T * T) / N;

        var warmth = warmUp > 0 ? Math.Min(step.Epoch / warmUp, 1) : 1;
        return [new("dkd.target", scope.Keep(tckd * (warmth * Alpha))), new("dkd.others", scope.Keep(nckd * (warmth * beta)))];
    }

    Tensor Softened(Tensor logits, double T)
    {
        var z = logits.To(DType.Float32);
        return (Standardize ? LogitStandardization.Z(z) : z) / T;
    }

    // The two distributions of one network and their logarithms: b [N, 2], and q [N, K] with 0 in the label's place, log q too.
    static (Tensor B, Tensor LogB, Tensor Q, Tensor LogQ) Parts(Tensor z, Tensor y, Tensor isTarget)
    {
        var target = isTarget.To(DType.Float32);
        var p = Functional.Softmax(z);
        var b = Tensor.Cat([(p * target).Sum(1, keep: true), (p * (1.0 - target)).Sum(1, keep: true)], 1);

        var logP = Functional.LogSoftmax(z);
        var logOthers = Functional.LogSumExp(logP.MaskedFill(isTarget, double.NegativeInfinity), 1, keep: true);
        var isNormal = b.GreaterThan(1e-30);
        var logOfNormal = Tensor.Where(isNormal, b, Tensor.Ones([1], device: b.Device)).Log();
        var logB = Tensor.Where(isNormal, logOfNormal, Tensor.Cat([logP.Gather(1, y), logOthers], 1));

        var others = z.MaskedFill(isTarget, double.NegativeInfinity);
        return (b, logB, Functional.Softmax(others), Functional.LogSoftmax(others).MaskedFill(isTarget, 0));
    }
}
