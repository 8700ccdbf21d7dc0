using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Distillation with the reused teacher classifier. Chen, Mei, Zhang, Wang, Feng, Chen: Knowledge Distillation with the Reused
/// Teacher Classifier, CVPR 2022, arXiv 2203.14001, equation 3. For the last stages s and t:
/// <code>
/// L      = mean of ( P(s) - t )^2
/// logits = W_t mean over the image of P(s) + b_t
/// </code>
/// P is a projector that is trained with the student (<see cref="ReusedClassifier"/>), W_t and b_t are the teacher's own. Both stay
/// with the student when it is measured and exported. No label is used; where s and t differ in size, the larger is averaged down
/// first. t is the stage as the teacher's classifier sees it, behind its last ReLU.
/// </summary>
[Method("||P(s) - t||^2 of the last stages; the student sees through the teacher's classifier",
    "Chen et al., CVPR 2022, arXiv 2203.14001",
    "the paper's, with no cross-entropy; its projector of half the teacher's width")]
public sealed class SimKd : DistillationMethod
{
    Sequential? projector;
    Linear? classifier;
    string teacher = "";
    FeatureShape own, target;

    public override string Name => "simkd";

    public override bool IsRecordable => true;

    public override double CrossEntropyWeight => 0;

    public override Features StudentFeatures => Features.Stages;

    public override Features? TeacherFeatures => Features.PreActivations;

    public override bool UsesTeacherLogits => false;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        var shapes = pair.Teacher.Shapes;
        if (pair.Teacher.Head is not { } head || shapes.PreActivations is not [.., var last] || last.Channels != head.Weight.Size(1))
            throw new UserException($"simkd: {pair.Teacher.Name} has no linear classifier on the mean of its last stage, which the student "
                + "could use; take another teacher");
        (teacher, own, target) = (pair.Teacher.Name, pair.Student.Shapes.Stages[^1], last);
        projector = Child("projector", ReusedClassifier.Projector(own.Channels, target.Channels));
        classifier = head;
        return [$"simkd: the student's last stage ({own}) goes through a projector into the teacher's ({target}) and its classifier"];
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (s, t) = StageAlignment.InOneSize(step.Student.Stages![^1], Functional.Relu(step.Teacher.PreActivations![^1]));
        var p = projector!.Forward(s);
        return [new(Name, scope.Keep(Functional.MeanSquaredError(p.To(DType.Float32), t.To(DType.Float32))))];
    }

    public override Classifier Deployed(Classifier student) => new ReusedClassifier(student, teacher, projector!, classifier!, own, target);
}
