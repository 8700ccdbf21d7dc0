using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// Cross-entropy with the labels, of which a share a may be spread evenly over the K classes (Szegedy, Vanhoucke, Ioffe, Shlens,
/// Wojna: Rethinking the Inception Architecture for Computer Vision, CVPR 2016, arXiv 1512.00567, section 7):
/// <code>
/// L = -1/N sum_i ( (1 - a) log softmax(s_i)[y_i] + a/K sum_c log softmax(s_i)[c] )
/// </code>
/// Where an image is mixed of two, it is lambda of the loss with its own label and 1 - lambda of that with the other's. Where a method
/// asks for two views of an image, it is the sum over both.
/// </summary>
[Method("-log softmax(s)[y]",
    "the labels alone",
    "always there; 1, or what the methods beside it ask for")]
public sealed class CrossEntropy : DistillationMethod
{
    public override string Name => "ce";

    public override bool IsRecordable => true;

    public override Features? TeacherFeatures => null;

    /// <summary>a.</summary>
    [Setting("share of each label that is spread over all classes", AtLeast = 0, Below = 1)]
    public double LabelSmoothing { get; set; }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var loss = Loss(step.Student.Logits, step);
        return [new(Name, scope.Keep(step.Second is { } second ? loss + Loss(second.Student.Logits, step) : loss))];
    }

    Tensor Loss(Tensor logits, DistillationStep step)
    {
        if (step.Mix is not { } mix) return Functional.CrossEntropy(logits, step.Labels, LabelSmoothing);
        using var scope = TensorScope.Open();
        var own = Functional.CrossEntropies(logits, step.Labels, LabelSmoothing);
        var others = Functional.CrossEntropies(logits, mix.Others, LabelSmoothing);
        return scope.Keep((mix.Shares * own + (1 - mix.Shares) * others).Mean());
    }
}
