using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// A method that compares stages of the two networks, each with the one that <see cref="StageAlignment"/> lines up with it. Where two
/// maps differ in size, the larger is averaged down first; the loss is the sum over the stages.
/// </summary>
public abstract class StageMethod : DistillationMethod
{
    IReadOnlyList<StagePair> stages = [];

    public sealed override Features StudentFeatures => Features.Stages;

    public sealed override Features? TeacherFeatures => Features.Stages;

    public sealed override bool UsesTeacherLogits => false;

    public sealed override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        var (student, teacher) = (pair.Student.Shapes.Stages, pair.Teacher.Shapes.Stages);
        stages = StageAlignment.Require(Name, pair.Student, student, pair.Teacher, teacher);
        Prepare([.. stages.Select(met => (student[met.Student], teacher[met.Teacher]))]);
        return StageAlignment.Describe(Name, stages, student, teacher);
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var loss = stages.Select((met, i) =>
        {
            var (s, t) = StageAlignment.InOneSize(step.Student.Stages![met.Student], step.Teacher.Stages![met.Teacher]);
            return StageLoss(i, s, t);
        }).Aggregate((sum, stage) => sum + stage);
        return [new(Name, scope.Keep(loss))];
    }

    /// <summary>Checks the settings and makes what the method trains.</summary>
    /// <param name="stages">The shapes of the stages that meet, from the first to the last.</param>
    /// <exception cref="UsageException">A setting makes no sense.</exception>
    protected virtual void Prepare(IReadOnlyList<(FeatureShape Student, FeatureShape Teacher)> stages) { }

    /// <summary>The loss of one stage, a single element.</summary>
    /// <param name="stage">Its place among those that meet, from 0.</param>
    /// <param name="s">The student's features, [N, C, H, W].</param>
    /// <param name="t">The teacher's, of the same height and width.</param>
    protected abstract Tensor StageLoss(int stage, Tensor s, Tensor t);
}
