using DistillSharp.Torch;

namespace DistillSharp.Methods;

/// <summary>
/// Knowledge distillation. Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, 2015, arXiv 1503.02531.
/// L = T^2 / N sum_i KL( softmax(t_i / T) || softmax(s_i / T) ).
/// The weights are those of the public benchmarks: 0.9 beside 0.1 of cross-entropy, for ImageNet 0.5 beside 0.5.
/// </summary>
public sealed class Kd : DistillationMethod
{
    bool isImageNet;

    /// <inheritdoc/>
    public override string Name => "kd";

    /// <summary>T; null for the published one: 4, for ImageNet 1.</summary>
    [Setting("softens both distributions; unless set, 4, for ImageNet 1", Above = 0)]
    public double? Temperature { get; set; }

    /// <inheritdoc/>
    protected override double DefaultWeight => isImageNet ? 0.5 : 0.9;

    /// <inheritdoc/>
    public override bool WeightsDependOnPair => true;

    /// <inheritdoc/>
    public override double CrossEntropyWeight => isImageNet ? 0.5 : 0.1;

    double T => Temperature ?? (isImageNet ? 1 : 4);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Bind(DistillationPair pair)
    {
        isImageNet = pair.IsImageNet;
        Require(T > 0, "temperature", T, "greater than 0");
        return [$"kd: temperature {T}"];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<LossTerm> Compute(DistillationStep step)
    {
        using var scope = TensorScope.Open();
        var student = Functional.LogSoftmax(step.Student.Logits.To(DType.Float32) / T);
        var teacher = Functional.LogSoftmax(step.Teacher.Logits.To(DType.Float32) / T);
        var divergence = Functional.KlDivergence(student, teacher).Sum(1).Mean();
        return [new(Name, scope.Keep(divergence * (T * T)))];
    }
}
