using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Tests.Methods;

/// <summary>Small steps and pairs, as the trainer would hand them to a method.</summary>
static class Make
{
    /// <summary>Normally distributed values that only the seed decides.</summary>
    public static Tensor Values(int seed, params long[] shape)
    {
        var random = new Random(seed);
        var values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return Tensor.From(values, shape);
    }

    /// <summary>A tensor that gathers a gradient.</summary>
    public static Tensor Leaf(this Tensor tensor)
    {
        tensor.RequiresGrad = true;
        return tensor;
    }

    public static DistillationStep Step(
        ClassifierOutput student, ClassifierOutput teacher, long[]? labels = null, long[]? indices = null, int epoch = 1)
    {
        var count = (int)(student.Pooled ?? student.Stages?[0] ?? student.PreActivations?[0] ?? student.Logits).Size(0);
        return new(
            student, teacher, Tensor.From(labels ?? new long[count], count),
            Tensor.From(indices ?? [.. Enumerable.Range(0, count).Select(i => (long)i)], count), epoch);
    }

    public static ClassifierOutput Pooled(Tensor pooled) => new(Tensor.Zeros([pooled.Size(0), 2]), pooled);

    public static ClassifierOutput Stages(params Tensor[] stages) => new(Tensor.Zeros([1, 2]), Stages: stages);

    public static ClassifierOutput PreActivations(params Tensor[] features) => new(Tensor.Zeros([1, 2]), PreActivations: features);

    /// <summary>A pair of networks of which only some shapes matter.</summary>
    public static DistillationPair Pair(
        PairMember student, PairMember teacher, int classes = 2, int[]? labels = null, ulong seed = 0, bool imageNet = false) =>
        new(student, teacher, classes, labels ?? [], seed) { IsImageNet = imageNet };

    public static PairMember Member(
        string name, long pooled = 1, FeatureShape[]? stages = null, FeatureShape[]? preActivations = null, BatchNorm2d?[]? norms = null) =>
        new(name, new(stages ?? [], preActivations ?? [], norms ?? [], pooled, 0));

    /// <summary>Square features.</summary>
    public static FeatureShape Square(long channels, long side) => new(channels, side, side);

    /// <summary>The sum of a method's terms.</summary>
    public static Tensor Loss(this DistillationMethod method, DistillationStep step) =>
        method.Compute(step).Select(term => term.Value).Aggregate((sum, term) => sum + term);

    /// <summary>||a - b|| / ||b||.</summary>
    public static double RelativeError(Tensor a, Tensor b)
    {
        var (actual, expected) = (a.ToArray<double>(), b.ToArray<double>());
        Assert.Equal(expected.Length, actual.Length);
        return Math.Sqrt(actual.Zip(expected, (x, y) => (x - y) * (x - y)).Sum() / expected.Sum(y => y * y));
    }
}
