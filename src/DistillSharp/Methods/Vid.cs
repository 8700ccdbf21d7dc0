using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Variational information distillation. Ahn, Hu, Damianou, Lawrence, Dai: Variational Information Distillation for Knowledge
/// Transfer, CVPR 2019, arXiv 1904.05835, equations 4 to 6. For each stage, with a mean mu and, for each channel c, a variance:
/// <code>
/// mu(s)     = conv(ReLU(conv(ReLU(conv(s))))),   1x1 convolutions without bias
/// sigma_c^2 = log(1 + exp(alpha_c)) + eps
/// L         = sum over stages of the mean of  1/2 ( log sigma_c^2 + (t - mu(s))^2 / sigma_c^2 )
/// </code>
/// mu and alpha are trained with the student. The stages are those that meet in a <see cref="StageMethod"/>.
/// </summary>
[Method("1/2 ( log sigma^2 + (t - mu(s))^2 / sigma^2 ), summed over stages",
    "Ahn et al., CVPR 2019, arXiv 1904.05835",
    "the public benchmarks'")]
public sealed class Vid : StageMethod
{
    Sequential? mu;
    Tensor[] alpha = [];

    public override string Name => "vid";

    public override bool IsRecordable => true;

    /// <summary>sigma^2 of every channel before the first step.</summary>
    [Setting("variance of every channel before training; more than eps", Above = 0)]
    public double InitialVariance { get; set; } = 5;

    /// <summary>The smallest variance.</summary>
    [Setting("smallest variance", Above = 0)]
    public double Eps { get; set; } = 1e-5;

    protected override void Prepare(IReadOnlyList<(FeatureShape Student, FeatureShape Teacher)> stages)
    {
        Require(Eps > 0, "eps", Eps, "greater than 0");
        Require(InitialVariance > Eps, "initial_variance", InitialVariance, $"greater than eps, {Eps}");
        mu = Child("regressors", new Sequential([.. stages.Select(met => Regressor(met.Student.Channels, met.Teacher.Channels))]));
        // The inverse of softplus: log(exp(v) - 1), which for a large v is v.
        var v = InitialVariance - Eps;
        var start = v > 30 ? v : Math.Log(Math.Exp(v) - 1);
        alpha = [.. stages.Select((met, i) => Parameter($"log_scales.{i}", Tensor.Full([met.Teacher.Channels], start)))];
    }

    protected override Tensor StageLoss(int stage, Tensor s, Tensor t)
    {
        var mean = mu!.Layers[stage].Forward(s).To(DType.Float32);
        var variance = (alpha[stage].Softplus() + Eps).Reshape(1, -1, 1, 1);
        return 0.5 * ((t.To(DType.Float32) - mean).Pow(2) / variance + variance.Log()).Mean();
    }

    static Sequential Regressor(long student, long teacher) => new(
        new Conv2d(student, teacher, 1), new Relu(), new Conv2d(teacher, teacher, 1), new Relu(), new Conv2d(teacher, teacher, 1));
}
