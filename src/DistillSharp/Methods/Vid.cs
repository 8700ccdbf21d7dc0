using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Methods;

/// <summary>
/// Variational information distillation. Ahn, Hu, Damianou, Lawrence, Dai: Variational Information Distillation for Knowledge
/// Transfer, CVPR 2019, arXiv 1904.05835, equations 4 to 6. For each stage, with a mean mu and, for each channel c, a variance:
/// <code>
/// mu(s)     = conv(ReLU(conv(ReLU(conv(s))))),   1x1 convolutions without bias
/// sigma_c^2 = log(1 + exp(alpha_c)) + eps
/// L         = sum over stages of the mean of  1/2 ( log sigma_c^2 + (t - mu(s))^2 / sigma_c^2 )
/// </code>
/// mu and alpha are trained with the student. The stages are lined up by <see cref="StageAlignment"/>; where two maps differ in
/// size, the larger is averaged down first.
/// </summary>
[Method(
    "1/2 ( log sigma^2 + (t - mu(s))^2 / sigma^2 ), summed over stages",
    "Ahn et al., CVPR 2019, arXiv 1904.05835",
    "the public benchmarks'")]
public sealed class Vid : DistillationMethod
{
    IReadOnlyList<StagePair> stages = [];
    Sequential? mu;
    Tensor[] alpha = [];

    /// <inheritdoc/>
    public override string Name => "vid";

    /// <summary>sigma^2 of every channel before the first step.</summary>
    [Setting("variance of every channel before training; more than eps", Above = 0)]
    public double InitialVariance { get; set; } = 5;

    /// <summary>The smallest variance.</summary>
    [Setting("smallest variance", Above = 0)]
    public double Eps { get; set; } = 1e-5;

    /// <inheritdoc/>
    public override Features StudentFeatures => Features.Stages;

    /// <inheritdoc/>
    public override Features? TeacherFeatures => Features.Stages;

    /// <inheritdoc/>
    public override bool UsesTeacherLogits => false;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Require(Eps > 0, "eps", Eps, "greater than 0");
        Require(InitialVariance > Eps, "initial_variance", InitialVariance, $"greater than eps, {Eps}");
        var (student, teacher) = (pair.Student.Shapes.Stages, pair.Teacher.Shapes.Stages);
        stages = StageAlignment.Require(Name, pair.Student, student, pair.Teacher, teacher);

        mu = Child("regressors", new Sequential(
            [.. stages.Select(met => Regressor(student[met.Student].Channels, teacher[met.Teacher].Channels))]));
        // The inverse of softplus: log(exp(v) - 1), which for a large v is v.
        var v = InitialVariance - Eps;
        var start = v > 30 ? v : Math.Log(Math.Exp(v) - 1);
        alpha = [.. stages.Select((met, i) => Parameter($"log_scales.{i}", Tensor.Full([teacher[met.Teacher].Channels], start)))];
        return StageAlignment.Describe(Name, stages, student, teacher);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var loss = stages
            .Select((met, i) => StageLoss(i, step.Student.Stages![met.Student], step.Teacher.Stages![met.Teacher]))
            .Aggregate((sum, stage) => sum + stage);
        return [new(Name, scope.Keep(loss))];
    }

    Tensor StageLoss(int i, Tensor student, Tensor teacher)
    {
        var (s, t) = StageAlignment.InOneSize(student, teacher);
        var mean = mu!.Layers[i].Forward(s).To(DType.Float32);
        var variance = (alpha[i].Softplus() + Eps).Reshape(1, -1, 1, 1);
        return 0.5 * ((t.To(DType.Float32) - mean).Pow(2) / variance + variance.Log()).Mean();
    }

    static Sequential Regressor(long student, long teacher) => new(
        new Conv2d(student, teacher, 1), new Relu(), new Conv2d(teacher, teacher, 1), new Relu(), new Conv2d(teacher, teacher, 1));
}
