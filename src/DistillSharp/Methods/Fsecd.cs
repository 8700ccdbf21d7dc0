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
    static readonly Operator unique = new("aten::_unique2"), indexAdd = new("aten::index_add");

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
    public override bool UsesTeacherLogits => Layer == EmbeddedLayer.Logits;

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
        // This is the loss for P(i) = { i }; for others the mean of S_ip over P(i) takes the place of S_ii.
        var loss = Functional.CrossEntropy(S, Tensor.Range(0, S.Size(0), device: S.Device));
        if (Policy == PositivePairs.Class) loss += (z * (u - PositiveMeans(u, step.Labels))).Sum(1).Mean() / Temperature;
        return [new(Name, scope.Keep(loss))];
    }

    // [N, b], row i the mean of u over P(i), which is never empty, as i itself is in it. The mean of S_ip is z_i times this row
    // over tau: no second N x N matrix is needed to say which pairs are positive.
    static Tensor PositiveMeans(Tensor u, Tensor y)
    {
        var (classes, place, members) = unique.Call3(y, true, true, true);
        var sums = indexAdd.Call(Tensor.Zeros([classes.Size(0), u.Size(1)], device: u.Device), 0L, place, u);
        return (sums / members!.Unsqueeze(1)).IndexSelect(0, place!);
    }
}
