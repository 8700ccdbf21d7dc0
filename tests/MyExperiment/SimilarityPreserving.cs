using DistillSharp;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace MyExperiment;

/// <summary>
/// Tung, Mori: Similarity-Preserving Knowledge Distillation, ICCV 2019, arXiv 1907.09682.
/// G(A) = rows of A A' divided by their norms, A the batch's features as N rows;  L = 1/N^2 ||G(s) - G(t)||^2.
/// </summary>
public sealed class SimilarityPreserving : DistillationMethod
{
    (int Student, int Teacher) stage;

    public override string Name => "similarity";

    protected override double DefaultWeight => 3000;

    [Setting("which stage is compared, counted from the last one", AtLeast = 1)]
    public int FromLast { get; set; } = 1;

    // What the trainer is to ask of both networks beside their logits.
    public override Features StudentFeatures => Features.Stages;

    public override Features? TeacherFeatures => Features.Stages;

    // Where processes share a batch, each of them is to see all of it.
    public override bool ComparesImages => true;

    // Called once, before training: look at the shapes, refuse what cannot work, make parameters of your own if you have any.
    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        stage = (pair.Student.Shapes.Stages.Count - FromLast, pair.Teacher.Shapes.Stages.Count - FromLast);
        if (stage.Student < 0 || stage.Teacher < 0)
            throw new UsageException($"similarity: from_last is {FromLast}; {pair.Student.Name} or {pair.Teacher.Name} has fewer stages");
        return [$"similarity: student stage {stage.Student} meets teacher stage {stage.Teacher}"];
    }

    // Called in every step: from features to loss terms, each with a name for the log.
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (s, t) = (G(step.Student.Stages![stage.Student]), G(step.Teacher.Stages![stage.Teacher]));
        return [new(Name, scope.Keep(Functional.MeanSquaredError(s, t)))];
    }

    static Tensor G(Tensor features)
    {
        var A = features.To(DType.Float32).Flatten(1);
        return Functional.Normalize(A.MatMul(A.Transpose()));
    }
}
