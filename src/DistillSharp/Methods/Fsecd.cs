using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Methods;

/// <summary>Which teacher features of a batch are positive for a student feature (the paper's Table 2).</summary>
public enum PositivePairs
{
    /// <summary>Only the one of the same image: P(i) = { i }.</summary>
    Instance,

    /// <summary>All of the same class: P(i) = { j : y_j = y_i }.</summary>
    Class,
}

/// <summary>Which features meet.</summary>
public enum EmbeddedLayer
{
    /// <summary>The pooled features before the classifier.</summary>
    Pooled,

    /// <summary>The logits.</summary>
    Logits,
}

/// <summary>
/// Contrastive distillation by feature space embedding. Feng, Chen, Lai: Contrastive Knowledge Distillation Method Based on
/// Feature Space Embedding, Journal of South China University of Technology 51(5), 2023, doi 10.12141/j.issn.1000-565X.220684.
/// <code>
/// z_i  = normalize(phi(s_i)),  u_j = normalize(t_j)
/// S_ij = z_i . u_j / tau
/// L    = -1/N sum_i 1/|P(i)| sum_{p in P(i)} log( exp S_ip / sum_j exp S_ij )
/// </code>
/// phi is the identity where both features have the same width, else one linear layer that is trained with the student.
/// </summary>
public sealed class Fsecd : DistillationMethod
{
    Linear? phi;

    /// <inheritdoc/>
    public override string Name => "fsecd";

    /// <summary>P(i).</summary>
    [Setting("which pairs are positive: instance or class")]
    public PositivePairs Policy { get; set; } = PositivePairs.Instance;

    /// <summary>s and t.</summary>
    [Setting("which features meet: pooled or logits")]
    public EmbeddedLayer Layer { get; set; } = EmbeddedLayer.Pooled;

    /// <summary>tau.</summary>
    [Setting("divides the similarities", Above = 0)]
    public double Temperature { get; set; } = 0.1;

    /// <inheritdoc/>
    public override Features StudentFeatures => Layer == EmbeddedLayer.Pooled ? Features.Pooled : Features.Logits;

    /// <inheritdoc/>
    public override Features? TeacherFeatures => StudentFeatures;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Require(Temperature > 0, "temperature", Temperature, "greater than 0");
        var (a, b) = Layer == EmbeddedLayer.Pooled
            ? (pair.Student.Shapes.PooledWidth, pair.Teacher.Shapes.PooledWidth)
            : (pair.Classes, pair.Classes);
        if (a == b) return [$"fsecd: student and teacher features have {a} dimensions each, nothing is added to the student"];
        phi = Child("embed", new Linear(a, b));
        return [$"fsecd: a linear layer embeds the student's {a} dimensions in the teacher's {b}"];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (s, t) = Layer == EmbeddedLayer.Pooled
            ? (step.Student.Pooled!, step.Teacher.Pooled!)
            : (step.Student.Logits, step.Teacher.Logits);
        var z = Functional.Normalize((phi?.Forward(s) ?? s).To(DType.Float32));
        var u = Functional.Normalize(t.Detach().To(DType.Float32));
        // At a low temperature bf16 cannot tell the pairs apart: the contrast is computed in float32.
        using var precise = Precision.Fp32.Enter(z.Device);
        var S = z.MatMul(u.Transpose()) / Temperature;
        var loss = Policy == PositivePairs.Instance
            ? Functional.CrossEntropy(S, Tensor.Range(0, S.Size(0), device: S.Device))
            : -(Positives(step.Labels) * Functional.LogSoftmax(S)).Sum(1).Mean();
        return [new(Name, scope.Keep(loss))];
    }

    // Row i holds 1/|P(i)| at the places of P(i), which is never empty: i itself is in it.
    static Tensor Positives(Tensor y)
    {
        var same = y.Unsqueeze(1).EqualTo(y.Unsqueeze(0)).To(DType.Float32);
        return same / same.Sum(1, keep: true);
    }
}
