using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Distillation by knowledge review. Chen, Liu, Zhao, Jia: Distilling Knowledge via Knowledge Review, CVPR 2021, arXiv 2104.09044,
/// section 3: each level of the teacher guides the student's features of that level and of all deeper ones, fused from deep to
/// shallow. For the levels l = n (the pooled features), n-1, ..., 1 (the first stage):
/// <code>
/// y_l, f_l = ABF(s_l, y_l+1)                                            (<see cref="AttentionFusion"/>)
/// L   = min(epoch / warm-up, 1) * sum_l D(f_l, t_l)
/// D   = sum_k w_k mean of ( pool_k(f) - pool_k(t) )^2 / sum_k w_k       (HCL)
/// </code>
/// pool_k keeps the size (w = 1), then averages down to 4x4, 2x2, 1x1 (w = 1/2, 1/4, 1/8) where the size is larger. s are the
/// student's stages, t the teacher's before their last ReLU, lined up by <see cref="StageAlignment"/>; y takes the teacher's size.
/// </summary>
[Method("sum over levels of HCL( ABF(s), t ): each level of the teacher guides all deeper ones of the student",
    "Chen, Liu, Zhao, Jia, CVPR 2021, arXiv 2104.09044",
    "the published scripts' weights, for other pairs 1")]
public sealed class ReviewKd : DistillationMethod
{
    // The published weight of each pair, teacher first; others have the published code's default, 1.
    static readonly Dictionary<(string Teacher, string Student), double> weights = new()
    {
        [("wrn_40_2", "wrn_16_2")] = 5,
        [("wrn_40_2", "wrn_40_1")] = 5,
        [("wrn_40_2", "shufflenet_v1")] = 5,
        [("resnet32x4", "resnet8x4")] = 5,
        [("resnet32x4", "shufflenet_v1")] = 5,
        [("resnet32x4", "shufflenet_v2")] = 8,
        [("resnet56", "resnet20")] = 0.6,
        [("resnet110", "resnet32")] = 1,
    };

    IReadOnlyList<StagePair> stages = [];
    AttentionFusion[] fusions = [];
    Features teacherStages = Features.PreActivations;
    double publishedWeight = 1;

    public override string Name => "reviewkd";

    public override bool IsRecordable => true;

    public override bool WeightsDependOnPair => true;

    protected override double DefaultWeight => publishedWeight;

    /// <summary>Over how many epochs the loss rises to its full weight.</summary>
    [Setting("epochs over which the loss rises to its weight", AtLeast = 0)]
    public double Warmup { get; set; } = 20;

    public override Features StudentFeatures => Features.Stages | Features.Pooled;

    public override Features? TeacherFeatures => teacherStages | Features.Pooled;

    public override bool UsesTeacherLogits => false;

    public override void Follow(PairKind pair) => publishedWeight = weights.GetValueOrDefault((pair.Teacher, pair.Student), 1);

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Require(Warmup >= 0, "warmup", Warmup, "0 or more epochs");
        Follow(pair.Kind);
        var (student, teacher) = (pair.Student.Shapes, pair.Teacher.Shapes);
        if (teacher.PreActivations.Count == 0) teacherStages = Features.Stages;
        var targets = teacherStages == Features.Stages ? teacher.Stages : teacher.PreActivations;
        stages = StageAlignment.Require(Name, pair.Student, student.Stages, pair.Teacher, targets);

        var width = Math.Min(512, student.PooledWidth);
        (long Student, long Teacher)[] channels =
        [
            (student.PooledWidth, teacher.PooledWidth),
            .. stages.Reverse().Select(met => (student.Stages[met.Student].Channels, targets[met.Teacher].Channels)),
        ];
        fusions = [.. channels.Select((level, i) =>
            Child($"abfs.{i}", new AttentionFusion(level.Student, width, level.Teacher, isDeepest: i == 0)))];
        var pooled = $"reviewkd: the pooled features ({student.PooledWidth}) meet the teacher's ({teacher.PooledWidth})";
        return [pooled, .. StageAlignment.Describe(Name, stages, student.Stages, targets)];
    }

    public override string? Doubt(int epochs) => WarmupDoubt(Warmup, epochs);

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var teacher = teacherStages == Features.Stages ? step.Teacher.Stages! : step.Teacher.PreActivations!;
        (Tensor s, Tensor t)[] levels =
        [
            (AsMap(step.Student.Pooled!), AsMap(step.Teacher.Pooled!)),
            .. stages.Reverse().Select(met => (step.Student.Stages![met.Student], teacher[met.Teacher])),
        ];
        Tensor? y = null, loss = null;
        foreach (var ((s, t), fusion) in levels.Zip(fusions))
        {
            (var f, y) = fusion.Forward(s, y, new(t.Size(2), t.Size(3)));
            var d = D(f.To(DType.Float32), t.To(DType.Float32));
            loss = loss is null ? d : loss + d;
        }
        return [new(Name, scope.Keep(loss! * (Warmup > 0 ? Math.Min(step.Epoch / Warmup, 1) : 1)))];
    }

    static Tensor AsMap(Tensor pooled) => pooled.Unsqueeze(2).Unsqueeze(3);

    static Tensor D(Tensor f, Tensor t)
    {
        var (sum, total, w) = (Functional.MeanSquaredError(f, t), 1.0, 1.0);
        foreach (var size in new long[] { 4, 2, 1 }.Where(size => size < Math.Min(f.Size(2), f.Size(3))))
        {
            w /= 2;
            sum += w * Functional.MeanSquaredError(Functional.AdaptiveAvgPool2d(f, size), Functional.AdaptiveAvgPool2d(t, size));
            total += w;
        }
        return sum / total;
    }
}
