using System.Globalization;
using System.Runtime.InteropServices;
using DistillSharp.Formats;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Tests.Methods;

/// <summary>A reference case of a method: inputs, parameters, and the loss and gradients that an independent implementation gave.</summary>
sealed class MethodCase
{
    readonly Dictionary<string, Tensor> tensors;
    readonly IReadOnlyDictionary<string, string> metadata;

    public MethodCase(string path)
    {
        var content = SafeTensors.Read(path);
        metadata = content.Metadata;
        tensors = content.Tensors.ToDictionary(stored => stored.Name, Load);
        Method = DistillationMethods.Create(metadata["method"]);
        foreach (var setting in MethodSetting.Of(Method))
            if (metadata.TryGetValue(setting.Name, out var value))
                setting.Write(Method, value);
        if (Method is Crd crd) crd.FeatureDim = (int)tensors["in.memory_student"].Size(1);
        if (Method is Dkd dkd) dkd.Warmup = 0;

        Method.Bind(Pair());
        var state = Method.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        using var off = Autograd.NoGrad();
        foreach (var (name, tensor) in tensors)
        {
            if (name.StartsWith("param.")) state[name["param.".Length..]].CopyFrom(tensor);
            if (name.StartsWith("in.memory")) state[name["in.".Length..]].CopyFrom(tensor);
            if (name.StartsWith("in.student.")) tensor.RequiresGrad = true;
        }
        Assert.Equal(
            tensors.Keys.Where(name => name.StartsWith("param.")).Select(name => name["param.".Length..]).Order(),
            Method.NamedParameters().Select(parameter => parameter.Name).Order());
    }

    public DistillationMethod Method { get; }

    public double ExpectedLoss => tensors["loss"].Item();

    /// <summary>The sum of the terms of all steps, after its backward pass.</summary>
    public double Run()
    {
        using var scope = TensorScope.Open();
        var steps = metadata.TryGetValue("steps", out var count) ? int.Parse(count, CultureInfo.InvariantCulture) : 1;
        var terms = Enumerable.Range(0, steps).SelectMany(k => Method is Crd crd
            ? [crd.Contrast(Step(k.ToString(CultureInfo.InvariantCulture)), tensors[$"in.contrast_index{k}"])]
            : Method.Compute(Step("")).Select(term => term.Value)).ToArray();
        var loss = terms.Aggregate((sum, term) => sum + term);
        loss.Backward();
        return loss.Item();
    }

    /// <summary>Every gradient and other result that the case holds, beside ours.</summary>
    public IEnumerable<(string Name, float[] Expected, float[] Actual)> Results()
    {
        var state = Method.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        foreach (var (name, expected) in tensors)
        {
            var actual = name switch
            {
                _ when name.StartsWith("grad.param.") => state[name["grad.param.".Length..]].Grad,
                _ when name.StartsWith("grad.") => tensors["in." + name["grad.".Length..]].Grad,
                _ when name.StartsWith("out.") => state[name["out.".Length..]],
                _ => null,
            };
            if (name.StartsWith("grad.") || name.StartsWith("out.")) yield return (name, expected.ToArray<float>(), actual!.ToArray<float>());
        }
    }

    DistillationStep Step(string suffix) => new(
        Output("student", suffix),
        Output("teacher", suffix),
        Given("in.target") ?? Tensor.Zeros([1], DType.Int64),
        Given($"in.index{suffix}") ?? Tensor.Zeros([1], DType.Int64),
        Epoch: 1);

    ClassifierOutput Output(string side, string suffix) => new(
        Given($"in.{side}.logits") ?? Tensor.Zeros([1, 2]),
        Given($"in.{side}.pooled{suffix}"),
        Features(side, "stage"),
        Features(side, "preact"));

    DistillationPair Pair()
    {
        var samples = metadata.TryGetValue("samples", out var count) ? int.Parse(count, CultureInfo.InvariantCulture) : 0;
        var classes = (int?)Given("in.student.logits")?.Size(1) ?? 2;
        return new(Member("student"), Member("teacher"), classes, Enumerable.Range(0, samples).ToArray());
    }

    PairMember Member(string side)
    {
        var preActivations = Features(side, "preact");
        var shapes = new NetworkShapes(
            [.. Features(side, "stage").Select(Shape)],
            [.. preActivations.Select(Shape)],
            (Given($"in.{side}.pooled") ?? Given($"in.{side}.pooled0"))?.Size(1) ?? 1,
            0);
        return new(side, shapes, [.. preActivations.Select((_, i) => Norm($"in.{side}.bn{i}"))]);
    }

    // Place 0 is the stem's, which no case holds.
    Tensor[] Features(string side, string kind)
    {
        var given = Enumerable.Range(1, 9).Select(i => Given($"in.{side}.{kind}{i}")).ToArray();
        var last = Array.FindLastIndex(given, tensor => tensor is not null);
        var filler = given.FirstOrDefault(tensor => tensor is not null);
        return last < 0 ? [] : [filler!, .. given[..(last + 1)].Select(tensor => tensor ?? filler!)];
    }

    BatchNorm2d? Norm(string name)
    {
        if (Given($"{name}.weight") is not { } weight) return null;
        var norm = new BatchNorm2d(weight.Count);
        using var off = Autograd.NoGrad();
        norm.Weight.CopyFrom(weight);
        norm.Bias.CopyFrom(Given($"{name}.bias")!);
        return norm;
    }

    Tensor? Given(string name) => tensors.GetValueOrDefault(name);

    static FeatureShape Shape(Tensor features) => new(features.Size(1), features.Size(2), features.Size(3));

    static Tensor Load(StoredTensor stored) => stored.Type == DType.Int64
        ? Tensor.From(MemoryMarshal.Cast<byte, long>(stored.Data.Span), [.. stored.Shape])
        : Tensor.From(MemoryMarshal.Cast<byte, float>(stored.Data.Span), [.. stored.Shape]);
}
