using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Methods;

/// <summary>
/// Cross-entropy with the labels:
/// L = -1/N sum_i log softmax(s_i)[y_i].
/// </summary>
[Method(
    "-log softmax(s)[y]",
    "the labels alone",
    "always there; 1, or what the methods beside it ask for")]
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
