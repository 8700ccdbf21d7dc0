using DistillSharp.Torch;

namespace DistillSharp.Methods;

/// <summary>
/// Decoupled knowledge distillation. Zhao, Cui, Song, Qiu, Liang: Decoupled Knowledge Distillation, CVPR 2022,
/// arXiv 2203.08679, equation 7. For a label y and logits z over the temperature T:
/// <code>
/// p = softmax(z / T),   b = [ p_y, 1 - p_y ],   q_c = p_c / (1 - p_y) for the other classes c
/// TCKD = KL( b(t) || b(s) ),   NCKD = KL( q(t) || q(s) )
/// L    = min(epoch / warm-up, 1) * T^2 / N sum_i ( alpha TCKD_i + beta NCKD_i )
/// </code>
/// Everything stays in logarithms: log(1 - p_y) is the log-sum-exp of log p over the other classes, log q the log-softmax of
/// z / T over them. So nothing overflows and no logarithm is taken of a probability that was rounded to 0.
/// </summary>
public sealed class Dkd : DistillationMethod
{
    // The published beta of each pair, teacher first.
    static readonly Dictionary<(string Teacher, string Student), double> betas = new()
    {
        [("vgg13", "vgg8")] = 6,
        [("vgg13", "mobilenet_v2_half")] = 6,
        [("wrn_40_2", "wrn_16_2")] = 6,
        [("wrn_40_2", "wrn_40_1")] = 6,
        [("resnet56", "resnet20")] = 2,
        [("resnet110", "resnet32")] = 2,
        [("resnet34", "resnet18")] = 0.5,
        [("resnet50", "mobilenet_v1")] = 2,
    };

    (double Beta, double Temperature, double Warmup) published = (8, 4, 20);

    /// <inheritdoc/>
    public override string Name => "dkd";

    /// <summary>The published beta of a pair: 8, or 6, 2, 0.5 for the pairs that have their own.</summary>
    public static double PublishedBeta(string teacher, string student) => betas.GetValueOrDefault((teacher, student), 8);

    /// <summary>alpha.</summary>
    [Setting("weight of the target class's part (TCKD)")]
    public double Alpha { get; set; } = 1;

    /// <summary>beta; null for the pair's published one (<see cref="PublishedBeta"/>).</summary>
    [Setting("weight of the other classes' part (NCKD); unless set, the pair's published one, else 8")]
    public double? Beta { get; set; }

    /// <summary>T; null for the published one: 4, for ImageNet 1.</summary>
    [Setting("softens both distributions; unless set, 4, for ImageNet 1", Above = 0)]
    public double? Temperature { get; set; }

    /// <summary>Over how many epochs the loss rises to its full weight; null for the published number: 20, for ImageNet 1.</summary>
    [Setting("epochs over which the loss rises to its weight; unless set, 20, for ImageNet 1", AtLeast = 0)]
    public double? Warmup { get; set; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        var ownBeta = PublishedBeta(pair.Teacher.Name, pair.Student.Name);
        published = pair.IsImageNet ? (ownBeta, 1, 1) : (ownBeta, 4, 20);
        var (beta, T, warmUp) = Settings;
        Require(T > 0, "temperature", T, "greater than 0");
        Require(warmUp >= 0, "warmup", warmUp, "0 or more epochs");
        if (pair.Classes < 2) throw new UserException($"dkd: the data have {pair.Classes} class; it needs two, the label's and another");
        return [$"dkd: alpha {Alpha}, beta {beta}, temperature {T}, warm-up over {warmUp} epochs"];
    }

    (double Beta, double T, double Warmup) Settings =>
        (Beta ?? published.Beta, Temperature ?? published.Temperature, Warmup ?? published.Warmup);

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (beta, T, warmUp) = Settings;
        var y = step.Labels.Unsqueeze(1);
        var isTarget = Tensor.Range(0, step.Student.Logits.Size(1), device: y.Device).EqualTo(y);

        var s = Parts(step.Student.Logits.To(DType.Float32) / T, y, isTarget);
        var t = Parts(step.Teacher.Logits.To(DType.Float32) / T, y, isTarget);
        var tckd = Kl(t.LogB, s.LogB);
        var nckd = Kl(t.LogQ, s.LogQ);

        var warmth = warmUp > 0 ? Math.Min(step.Epoch / warmUp, 1) : 1;
        var scale = warmth * T * T;
        return
        [
            new("dkd.target", scope.Keep(tckd * (scale * Alpha))),
            new("dkd.others", scope.Keep(nckd * (scale * beta))),
        ];
    }

    // log b [N, 2] and log q [N, K]; the target's own place in log q holds 0 for both networks, so that it adds nothing.
    static (Tensor LogB, Tensor LogQ) Parts(Tensor z, Tensor y, Tensor isTarget)
    {
        var logP = Functional.LogSoftmax(z);
        var logOthers = Functional.LogSumExp(logP.MaskedFill(isTarget, double.NegativeInfinity), 1, keep: true);
        var logQ = Functional.LogSoftmax(z.MaskedFill(isTarget, double.NegativeInfinity)).MaskedFill(isTarget, 0);
        return (Tensor.Cat([logP.Gather(1, y), logOthers], 1), logQ);
    }

    static Tensor Kl(Tensor logTarget, Tensor logPrediction) => (logTarget.Exp() * (logTarget - logPrediction)).Sum(1).Mean();
}
