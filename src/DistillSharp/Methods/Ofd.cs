using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Overhaul of feature distillation. Heo, Kim, Yun, Park, Kwak, Choi: A Comprehensive Overhaul of Feature Distillation,
/// ICCV 2019, arXiv 1904.01866, equations 1 to 6. Over the n stages that meet:
/// <code>
/// t'  = max(t, m),   m_c = E[ t_c | t_c below 0 ]                              (margin ReLU)
/// d_p = sum over elements of (r(s) - t')^2, but 0 where r(s) &lt;= t' &lt;= 0       (partial L2)
/// L   = sum_i 1 / 2^(n-i) * d_p(stage i) / N,   i = 1..n
/// </code>
/// s and t are the features before the last ReLU of a stage, r is a 1x1 convolution and a batch norm. t_c is taken to be normally
/// distributed with the shift and the scale of the batch norm before it. The stages are lined up by <see cref="StageAlignment"/>;
/// where two maps differ in size, the larger is averaged down first. A student without pre-activations shows its stages instead.
/// </summary>
[Method("partial L2 of r(s) and max(t, m), halved for each shallower stage",
    "Heo et al., ICCV 2019, arXiv 1904.01866",
    "1e-3 (ImageNet 1e-4), the published code's")]
public sealed class Ofd : DistillationMethod
{
    IReadOnlyList<StagePair> stages = [];
    Sequential? r;
    Tensor[] m = [];
    Features studentFeatures = Features.PreActivations;
    bool isImageNet;

    public override string Name => "ofd";

    public override bool IsRecordable => true;

    public override bool WeightsDependOnPair => true;

    protected override double DefaultWeight => isImageNet ? 1e-4 : 1e-3;

    public override Features StudentFeatures => studentFeatures;

    public override Features? TeacherFeatures => Features.PreActivations;

    public override bool UsesTeacherLogits => false;

    public override void Follow(PairKind pair) => isImageNet = pair.IsImageNet;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Follow(pair.Kind);
        var (student, teacher, norms) = (pair.Student.Shapes.PreActivations, pair.Teacher.Shapes.PreActivations, pair.Teacher.Shapes.Norms);
        if (student.Count == 0) (student, studentFeatures) = (pair.Student.Shapes.Stages, Features.Stages);
        stages = [.. StageAlignment.Of(student, teacher).Where(met => norms[met.Teacher] is not null)];
        if (stages.Count == 0)
            throw new UserException(
                $"ofd: none of the {teacher.Count} pre-activations of {pair.Teacher.Name} has a batch norm before it and meets one of " +
                $"the {student.Count} stages of {pair.Student.Name}; the margins come from such a batch norm of the teacher");

        r = Child("connectors", new Sequential(
            [.. stages.Select(met => Connector(student[met.Student].Channels, teacher[met.Teacher].Channels))]));
        m = [.. stages.Select((met, i) => Buffer($"margin{i + 1}", Margin(norms[met.Teacher]!)))];
        return StageAlignment.Describe(Name, stages, student, teacher);
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var student = studentFeatures == Features.Stages ? step.Student.Stages! : step.Student.PreActivations!;
        var n = stages.Count;
        var losses = stages.Select((met, i) =>
            StageLoss(i, student[met.Student], step.Teacher.PreActivations![met.Teacher]) / Math.Pow(2, n - 1 - i));
        return [new(Name, scope.Keep(losses.Aggregate((sum, stage) => sum + stage)))];
    }

    Tensor StageLoss(int i, Tensor student, Tensor teacher)
    {
        var (s, t) = StageAlignment.InOneSize(student, teacher);
        var rs = r!.Layers[i].Forward(s).To(DType.Float32);
        var tm = Tensor.Maximum(t.To(DType.Float32), m[i].Reshape(1, -1, 1, 1));
        var d = rs - tm;
        return Tensor.Where(tm.GreaterThan(0), d, Functional.Relu(d)).Pow(2).Sum() / s.Size(0);
    }

    static Sequential Connector(long student, long teacher)
    {
        var conv = new Conv2d(student, teacher, 1);
        Initialize.KaimingNormalFanOut(conv.Weight);
        return new(conv, new BatchNorm2d(teacher));
    }

    // For t normal with mean b and deviation w, and a = b / w: E[ t | t < 0 ] = b - w phi(a) / Phi(-a). The quotient is
    // sqrt(2 / pi) / erfcx(a / sqrt(2)), which neither underflows nor loses digits however far out a lies.
    static Tensor Margin(BatchNorm2d norm)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var b = norm.Bias.To(Device.Cpu).To(DType.Float64);
        var w = norm.Weight.To(Device.Cpu).To(DType.Float64).Abs().Clamp(min: 1e-12);
        var quotient = (b / w / Math.Sqrt(2)).Erfcx().Reciprocal() * Math.Sqrt(2 / Math.PI);
        return scope.Keep((b - w * quotient).Clamp(max: 0).To(DType.Float32));
    }
}
