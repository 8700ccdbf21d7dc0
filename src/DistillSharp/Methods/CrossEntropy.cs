using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Methods;

/// <summary>
/// Cross-entropy with the labels:
/// L = -1/N sum_i log softmax(s_i)[y_i].
/// </summary>
public sealed class CrossEntropy : DistillationMethod
{
    /// <inheritdoc/>
    public override string Name => "ce";

    /// <inheritdoc/>
    public override Features? TeacherFeatures => null;

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step) =>
        [new(Name, Functional.CrossEntropy(step.Student.Logits, step.Labels))];
}
