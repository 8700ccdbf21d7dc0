using DistillSharp.Torch;

namespace DistillSharp.Methods;

/// <summary>
/// Knowledge distillation. Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, 2015, arXiv 1503.02531.
/// L = T^2 / N sum_i KL( softmax(t_i / T) || softmax(s_i / T) ).
/// </summary>
public sealed class Kd : DistillationMethod
{
    /// <summary>Makes the method with the weight of the public benchmarks, 0.9 beside 0.1 of cross-entropy.</summary>
    public Kd() => Weight = 0.9;

    /// <inheritdoc/>
    public override string Name => "kd";

    /// <summary>T.</summary>
    [Setting("softens both distributions")]
    public double Temperature { get; set; } = 4;

    /// <inheritdoc/>
    public override double CrossEntropyWeight => 0.1;

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var student = Functional.LogSoftmax(step.Student.Logits.To(DType.Float32) / Temperature);
        var teacher = Functional.LogSoftmax(step.Teacher.Logits.To(DType.Float32) / Temperature);
        var divergence = Functional.KlDivergence(student, teacher).Sum(1).Mean();
        return [new(Name, scope.Keep(divergence * (Temperature * Temperature)))];
    }
}
