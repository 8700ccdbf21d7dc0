using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Verification;

/// <summary>Checks a method: its unweighted loss, and the gradients by the student's features and the method's own parameters.</summary>
static class MethodCheck
{
    const double Tolerance = 1e-4;

    public static bool Knows(ReferenceCase reference) => DistillationMethods.Names.Contains(reference.Text("method"));

    public static void Run(ReferenceCase reference, Comparison comparison, Device device)
    {
        using var method = DistillationMethods.Create(reference.Text("method"));
        foreach (var setting in MethodSetting.Of(method))
            if (reference.TextOrNull(setting.Name) is { } value)
                setting.Write(method, value);

        var inputs = reference.Under("in.").ToDictionary(input => input.Name, input => input.Tensor.To(device));
        foreach (var (name, tensor) in inputs)
            if (name.StartsWith("student.", StringComparison.Ordinal)) tensor.RequiresGrad = true;

        method.Bind(Pair(reference, inputs));
        LoadParameters(method, reference, comparison);
        if (comparison.Differences.Count > 0) return;
        method.To(device);

        var steps = reference.TextOrNull("steps") is null ? 1 : reference.Whole("steps");
        Tensor? loss = null;
        for (var k = 0; k < steps; k++)
        {
            // Epoch far beyond any warm-up: the cases hold the full weight.
            var step = Step(inputs, steps == 1 ? "" : $"{k}", epoch: 1_000_000);
            foreach (var term in method.Compute(step)) loss = loss is null ? term.Value : loss + term.Value;
        }
        loss!.Backward();

        comparison.Close("loss", loss.Reshape(1), reference["loss"], Tolerance);
        foreach (var (name, expected) in reference.Under("grad."))
            CompareGradient(name, name.StartsWith("param.", StringComparison.Ordinal) ? Parameter(method, name["param.".Length..]) : inputs[name], expected, comparison);
    }

    static void LoadParameters(DistillationMethod method, ReferenceCase reference, Comparison comparison)
    {
        using var off = Autograd.NoGrad();
        var own = method.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        foreach (var (name, value) in reference.Under("param."))
        {
            if (!own.TryGetValue(name, out var tensor)) comparison.Missing($"parameter {name}");
            else if (!tensor.Shape.SequenceEqual(value.Shape)) comparison.Same($"shape of {name}", string.Join("x", tensor.Shape), string.Join("x", value.Shape));
            else tensor.CopyFrom(value);
        }
        foreach (var name in own.Keys.Where(name => !reference.Has($"param.{name}"))) comparison.Same($"parameter {name}", "present", "absent");
    }

    static void CompareGradient(string name, Tensor? tensor, Tensor expected, Comparison comparison)
    {
        if (tensor?.Grad is { } gradient) comparison.Close($"gradient of {name}", gradient, expected, Tolerance);
        else comparison.Missing($"gradient of {name}");
    }

    static Tensor? Parameter(DistillationMethod method, string name) =>
        method.NamedParameters().Where(entry => entry.Name == name).Select(entry => entry.Tensor).FirstOrDefault();

    static DistillationStep Step(Dictionary<string, Tensor> inputs, string suffix, int epoch) => new(
        Output(inputs, "student", suffix),
        Output(inputs, "teacher", suffix),
        inputs.GetValueOrDefault($"target{suffix}") ?? Tensor.Zeros([BatchSize(inputs)], DType.Int64),
        inputs.GetValueOrDefault($"index{suffix}") ?? Tensor.Range(0, BatchSize(inputs)),
        epoch);

    static ClassifierOutput Output(Dictionary<string, Tensor> inputs, string member, string suffix) => new(
        inputs.GetValueOrDefault($"{member}.logits{suffix}")!,
        inputs.GetValueOrDefault($"{member}.pooled{suffix}"),
        Numbered(inputs, $"{member}.stage"),
        Numbered(inputs, $"{member}.preact"));

    // The cases count stages from 1, the stem being 0; what a case leaves out is never looked at.
    static IReadOnlyList<Tensor> Numbered(Dictionary<string, Tensor> inputs, string prefix)
    {
        var last = Enumerable.Range(0, 10).LastOrDefault(i => inputs.ContainsKey($"{prefix}{i}"), -1);
        return [.. Enumerable.Range(0, last + 1).Select(i => inputs.GetValueOrDefault($"{prefix}{i}") ?? inputs[$"{prefix}{last}"])];
    }

    static DistillationPair Pair(ReferenceCase reference, Dictionary<string, Tensor> inputs)
    {
        var classes = inputs.GetValueOrDefault("student.logits")?.Size(1) ?? 0;
        var samples = reference.TextOrNull("samples") is null ? 0 : reference.Whole("samples");
        return new(Member(inputs, "student"), Member(inputs, "teacher"), (int)classes, new int[samples]);
    }

    static PairMember Member(Dictionary<string, Tensor> inputs, string member)
    {
        var pooled = inputs.GetValueOrDefault($"{member}.pooled") ?? inputs.GetValueOrDefault($"{member}.pooled0");
        var stages = Numbered(inputs, $"{member}.stage").Select(FeatureShape.Of).ToArray();
        var preActivations = Numbered(inputs, $"{member}.preact").Select(FeatureShape.Of).ToArray();
        return new(member, new(stages, preActivations, pooled?.Size(1) ?? 0, 0), Norms(inputs, member, preActivations.Length));
    }

    static IReadOnlyList<BatchNorm2d?> Norms(Dictionary<string, Tensor> inputs, string member, int count)
    {
        using var off = Autograd.NoGrad();
        var norms = new BatchNorm2d?[count];
        for (var i = 0; i < count; i++)
        {
            if (!inputs.TryGetValue($"{member}.bn{i}.weight", out var weight)) continue;
            norms[i] = new BatchNorm2d(weight.Count);
            norms[i]!.Weight.CopyFrom(weight);
            norms[i]!.Bias.CopyFrom(inputs[$"{member}.bn{i}.bias"]);
        }
        return norms;
    }

    static long BatchSize(Dictionary<string, Tensor> inputs) => inputs.First(input => input.Key.StartsWith("student.", StringComparison.Ordinal)).Value.Size(0);
}
