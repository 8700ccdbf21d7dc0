using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Methods;

/// <summary>
/// Cross-entropy with the labels, of which a share a may be spread evenly over the K classes (Szegedy, Vanhoucke, Ioffe, Shlens,
/// Wojna: Rethinking the Inception Architecture for Computer Vision, CVPR 2016, arXiv 1512.00567, section 7):
/// <code>
/// L = -1/N sum_i ( (1 - a) log softmax(s_i)[y_i] + a/K sum_c log softmax(s_i)[c] )
/// </code>
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

    /// <summary>a.</summary>
    [Setting("share of each label that is spread over all classes", AtLeast = 0, Below = 1)]
    public double LabelSmoothing { get; set; }

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step) =>
        [new(Name, Functional.CrossEntropy(step.Student.Logits, step.Labels, LabelSmoothing))];
}
