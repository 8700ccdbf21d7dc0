using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Softmax regression representation learning. Yang, Martinez, Bulat, Tzimiropoulos: Knowledge distillation via softmax regression
/// representation learning, ICLR 2021, equations 2 to 5. For h_t, the teacher's pooled features, and z_t, its logits:
/// <code>
/// h_s  = mean over the image of C(s)
/// L_FM = mean of ( h_s - h_t )^2
/// L_SR = mean of ( W_t h_s + b_t - z_t )^2
/// L    = L_FM + L_SR
/// </code>
/// s is the student's last stage, C a connector that is trained with it (a 1x1 convolution into the teacher's width, batch norm, ReLU) and
/// dropped afterwards; W_t and b_t are the teacher's own classifier, which stays as it is: what the student shows is to make the
/// teacher's classifier say what it says of the teacher's features.
/// </summary>
[Method("(h(s) - h(t))^2 + (W_t h(s) + b_t - z_t)^2: pooled features meet, also through the teacher's classifier",
    "Yang et al., ICLR 2021",
    "the published code's, both parts alike")]
public sealed class Srrl : DistillationMethod
{
    Sequential? connector;
    Linear? classifier;

    public override string Name => "srrl";

    public override bool IsRecordable => true;

    public override Features StudentFeatures => Features.Stages;

    public override Features? TeacherFeatures => Features.Pooled;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        var width = pair.Teacher.Shapes.PooledWidth;
        if (pair.Teacher.Head is not { } head || head.Weight.Size(1) != width)
            throw new UserException($"srrl: {pair.Teacher.Name} has no linear classifier on its pooled features, which the student's "
                + "could go through; take another teacher");
        var stage = pair.Student.Shapes.Stages[^1];
        connector = Child("connector", new Sequential(new Conv2d(stage.Channels, width, 1), new BatchNorm2d(width), new Relu()));
        InitialWeights.HeConvolutions(connector);
        classifier = head;
        return [$"srrl: the student's last stage ({stage}) meets the teacher's pooled features ({width}) and goes through its classifier"];
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var c = connector!.Forward(step.Student.Stages![^1]);
        using var precise = Precision.Fp32.Enter(c.Device);
        var h = Functional.GlobalAvgPool(c.To(DType.Float32));
        return
        [
            new("srrl.feature", scope.Keep(Functional.MeanSquaredError(h, step.Teacher.Pooled!.To(DType.Float32)))),
            new("srrl.regression", scope.Keep(Functional.MeanSquaredError(classifier!.Forward(h), step.Teacher.Logits.To(DType.Float32)))),
        ];
    }
}
