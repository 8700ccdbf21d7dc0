using DistillSharp.Extending;
using DistillSharp.Methods;
using DistillSharp.Models;

namespace DistillSharp.Verification;

/// <summary>
/// Checks a method: its unweighted loss, the gradients by the student's features and the method's own parameters, and its state afterwards.
/// </summary>
static class MethodCheck
{
    const double Tolerance = 1e-4;

    // A convolution's bias before a batch norm has no gradient but rounding: a gradient's error is measured on a scale that is at
    // least this share of the case's largest gradient.
    const double MinShare = 0.01;

    public static bool Knows(ReferenceCase reference, Toolkit toolkit) => toolkit.Methods.Contains(reference.Text("method"));

    public static void Run(ReferenceCase reference, Comparison comparison, Toolkit toolkit, Device device)
    {
        using var method = toolkit.Methods.Create(reference.Text("method"));
        foreach (var setting in Setting.Of(method, method.Name))
            if (reference.TextOrNull(setting.Name) is { } value) setting.Write(method, value);
        if (method is Crd memories) memories.FeatureDim = (int)reference["in.memory_student"].Size(1);

        var inputs = reference.Under("in.").ToDictionary(input => input.Name, input => input.Tensor.To(device));
        foreach (var (name, tensor) in inputs)
            if (name.StartsWith("student.", StringComparison.Ordinal)) tensor.RequiresGrad = true;

        method.Bind(Pair(reference, inputs));
        LoadParameters(method, reference, comparison);
        LoadState(method, inputs);
        if (comparison.Differences.Count > 0) return;
        method.To(device);

        var steps = reference.TextOrNull("steps") is null ? 1 : reference.Whole("steps");
        Tensor? loss = null;
        for (var k = 0; k < steps; k++)
        {
            // Epoch far beyond any warm-up: the cases hold the full weight.
            var step = Step(inputs, steps == 1 ? "" : $"{k}", epoch: 1_000_000);
            // Which samples are contrasted is part of the case, as draws are nobody's to reproduce.
            var terms = method is Crd crd ? [crd.Contrast(step, inputs[$"contrast_index{k}"])]
                : method.Compute(step).Select(term => term.Value);
            foreach (var term in terms) loss = loss is null ? term : loss + term;
        }
        loss!.Backward();

        comparison.Close("loss", loss.Reshape(1), reference["loss"], Tolerance);
        var gradients = reference.Under("grad.").ToArray();
        var minScale = gradients.Select(gradient => Length(gradient.Tensor)).DefaultIfEmpty(0).Max() * MinShare;
        foreach (var (name, expected) in gradients)
        {
            var tensor = name.StartsWith("param.", StringComparison.Ordinal) ? Own(method, name["param.".Length..]) : inputs[name];
            if (tensor?.Grad is { } gradient) comparison.Close($"gradient of {name}", gradient, expected, Tolerance, minScale);
            else comparison.Missing($"gradient of {name}");
        }
        foreach (var (name, expected) in reference.Under("out."))
            if (Own(method, name) is { } state) comparison.Close(name, state, expected, Tolerance);
            else comparison.Missing(name);
    }

    static double Length(Tensor tensor) => Math.Sqrt(tensor.ToArray<double>().Sum(value => value * value));

    static void LoadParameters(DistillationMethod method, ReferenceCase reference, Comparison comparison)
    {
        using var off = Autograd.NoGrad();
        var own = method.NamedParameters().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        foreach (var (name, value) in reference.Under("param."))
            if (!own.TryGetValue(name, out var tensor)) comparison.Missing($"parameter {name}");
            else if (!tensor.Shape.SequenceEqual(value.Shape))
                comparison.Same($"shape of {name}", string.Join("x", tensor.Shape), string.Join("x", value.Shape));
            else tensor.CopyFrom(value);
        foreach (var name in own.Keys.Where(name => !reference.Has($"param.{name}")))
            comparison.Same($"parameter {name}", "present", "absent");
    }

    // Memories and other state that the case begins with.
    static void LoadState(DistillationMethod method, Dictionary<string, Tensor> inputs)
    {
        using var off = Autograd.NoGrad();
        foreach (var (name, tensor) in method.State())
            if (inputs.TryGetValue(name, out var value)) tensor.CopyFrom(value);
    }

    static Tensor? Own(DistillationMethod method, string name) =>
        method.State().Where(entry => entry.Name == name).Select(entry => entry.Tensor).FirstOrDefault();

    static DistillationStep Step(Dictionary<string, Tensor> inputs, string suffix, int epoch) => new(
        Output(inputs, "student", suffix), Output(inputs, "teacher", suffix),
        inputs.GetValueOrDefault($"target{suffix}") ?? Tensor.Zeros([BatchSize(inputs)], DType.Int64),
        inputs.GetValueOrDefault($"index{suffix}") ?? Tensor.Range(0, BatchSize(inputs)),
        epoch);

    static ClassifierOutput Output(Dictionary<string, Tensor> inputs, string member, string suffix) => new(
        inputs.GetValueOrDefault($"{member}.logits{suffix}")!, inputs.GetValueOrDefault($"{member}.pooled{suffix}"),
        Numbered(inputs, $"{member}.stage"), Numbered(inputs, $"{member}.preact"));

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
        return new(Member(inputs, "student"), Member(inputs, "teacher"), (int)classes, Enumerable.Range(0, samples).ToArray());
    }

    static PairMember Member(Dictionary<string, Tensor> inputs, string member)
    {
        var pooled = inputs.GetValueOrDefault($"{member}.pooled") ?? inputs.GetValueOrDefault($"{member}.pooled0");
        var stages = Numbered(inputs, $"{member}.stage").Select(FeatureShape.Of).ToArray();
        var preActivations = Numbered(inputs, $"{member}.preact").Select(FeatureShape.Of).ToArray();
        return new(member, new(stages, preActivations, Norms(inputs, member, preActivations.Length), pooled?.Size(1) ?? 0, 0));
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

    static long BatchSize(Dictionary<string, Tensor> inputs) =>
        inputs.First(input => input.Key.StartsWith("student.", StringComparison.Ordinal)).Value.Size(0);
}
