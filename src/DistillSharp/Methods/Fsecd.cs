using DistillSharp.Models;

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
/// Contrastive distillation by feature space embedding. Ye, Chen, Lai: Contrastive Knowledge Distillation Method Based on
/// Feature Space Embedding, Journal of South China University of Technology 51(5), 2023, doi 10.12141/j.issn.1000-565X.220684.
/// <code>
/// z_i  = normalize(phi(s_i)),  u_j = normalize(t_j)
/// S_ij = z_i . u_j / tau
/// L    = -1/N sum_i 1/|P(i)| sum_{p in P(i)} log( exp S_ip / sum_j exp S_ij )
/// </code>
/// phi is the identity where both features have the same width, else one linear layer that is trained with the student.
/// </summary>
[Method("-mean over P(i) of log softmax_j( z_i u_j / tau ), z and u normalized features of one batch",
    "Ye, Chen, Lai 2023, doi 10.12141/j.issn.1000-565X.220684",
    "the policy is the paper's; its tau and weight are not public, these are the best of a short schedule on CIFAR-100")]
public sealed class Fsecd : DistillationMethod
{
    Linear? phi;

    public override string Name => "fsecd";

    public override bool IsRecordable => Policy == PositivePairs.Instance;

    public override bool NeedsOneLabel => Policy == PositivePairs.Class;

    /// <summary>P(i).</summary>
    [Setting("which pairs are positive: instance or class")]
    public PositivePairs Policy { get; set; } = PositivePairs.Instance;

    /// <summary>s and t.</summary>
    [Setting("which features meet: pooled or logits")]
    public EmbeddedLayer Layer { get; set; } = EmbeddedLayer.Pooled;

    /// <summary>tau. The paper does not say its own; docs/results.md has how this one was found.</summary>
    [Setting("divides the similarities", Above = 0)]
    public double Temperature { get; set; } = 0.05;

    protected override double DefaultWeight => 3;

    // From this batch size on the gradient is written out. Below, where the cost is nothing beside the networks', the operators are
    // those of the formula in its order: training steps agree with reference values to the last digit.
    internal long LargeBatch { get; set; } = 512;

    public override Features StudentFeatures => Layer == EmbeddedLayer.Pooled ? Features.Pooled : Features.Logits;

    public override Features? TeacherFeatures => StudentFeatures;

    public override bool UsesTeacherLogits => Layer == EmbeddedLayer.Logits;

    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        Require(Temperature > 0, "temperature", Temperature, "greater than 0");
        var (a, b) = Layer == EmbeddedLayer.Pooled
            ? (pair.Student.Shapes.PooledWidth, pair.Teacher.Shapes.PooledWidth) : (pair.Classes, pair.Classes);
        if (a == b) return [$"fsecd: student and teacher features have {a} dimensions each, nothing is added to the student"];
        phi = Child("embed", new Linear(a, b));
        return [$"fsecd: a linear layer embeds the student's {a} dimensions in the teacher's {b}"];
    }

    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var (s, t) = Layer == EmbeddedLayer.Pooled
            ? (step.Student.Pooled!, step.Teacher.Pooled!) : (step.Student.Logits, step.Teacher.Logits);
        s = (phi?.Forward(s) ?? s).To(DType.Float32);
        // j runs over the images of all processes that share the batch.
        var peers = step.Peers.FeaturesMeet ? step.Peers : BatchPeers.None;
        var u = peers.Gather(Functional.Normalize(t.Detach().To(DType.Float32)));
        // Row i of the student's stands at this place among the teacher's.
        var own = peers.Own(s.Size(0));
        var U = Policy == PositivePairs.Class ? PositiveMeans(u, peers.Gather(step.Labels)) : u;
        // At a low temperature bf16 cannot tell the pairs apart: the contrast is computed in float32.
        using var precise = Precision.Fp32.Enter(s.Device);
        return [new(Name, scope.Keep(u.Size(0) < LargeBatch ? Loss(s, u, U, own) : FsecdForLargeBatches.Loss(s, u, U, own, Temperature)))];
    }

    // U_i is the mean of u over P(i), so z_i . U_i / tau is that of S_ip. What cross-entropy computes is the loss for P(i) = { i }.
    Tensor Loss(Tensor s, Tensor u, Tensor U, RowRange own)
    {
        var z = Functional.Normalize(s);
        var S = z.MatMul(u.Transpose()) / Temperature;
        var loss = Functional.CrossEntropy(S, Tensor.Range(own.First, own.First + own.Count, device: S.Device));
        return U == u ? loss : loss + (z * (own.Of(u) - own.Of(U))).Sum(1).Mean() / Temperature;
    }

    // [N, b], row i the mean of u over P(i), which is never empty, as i itself is in it.
    static Tensor PositiveMeans(Tensor u, Tensor y)
    {
        var (classes, place, members) = y.Unique();
        var sums = Tensor.Zeros([classes.Count, u.Size(1)], device: u.Device).IndexAdd(0, place, u);
        return (sums / members.Unsqueeze(1)).IndexSelect(0, place);
    }
}
