using BenchmarkDotNet.Attributes;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Benchmarks;

/// <summary>
/// Each method's loss, forward and backward down to the student's features, with the features of resnet32x4 and resnet8x4 for 64
/// images of CIFAR-100. The networks themselves are not run.
/// </summary>
public class Losses
{
    const int Batch = 64, Samples = 50_000, Classes = 100;

    DistillationMethod method = null!;
    DistillationStep step = null!;
    Tensor[] leaves = [];

    public static IEnumerable<string> Methods => DistillationMethods.Names;

    [ParamsSource(nameof(Methods))]
    public string Loss { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        using var scope = TensorScope.Open();
        using var teacher = Networks.Create("resnet32x4", Classes, seed: 1);
        using var student = Networks.Create("resnet8x4", Classes, seed: 2);
        method = DistillationMethods.Create(Loss);
        int[] labels = [.. Enumerable.Range(0, Samples).Select(i => i % Classes)];
        method.Bind(new(PairMember.Of(student, 32), PairMember.Of(teacher, 32), Classes, labels, Seed: 1));
        method.Train();

        var images = Tensor.Randn([Batch, 3, 32, 32]).Contiguous(MemoryFormat.ChannelsLast);
        using var off = Autograd.NoGrad();
        var (theirs, ours) =
            (teacher.Forward(images, method.TeacherFeatures ?? Features.Logits), student.Forward(images, method.StudentFeatures));
        foreach (var tensor in theirs.Tensors.Concat(ours.Tensors)) tensor.Unscoped();
        leaves = [.. ours.Tensors];
        foreach (var leaf in leaves) leaf.RequiresGrad = true;
        var indices = Tensor.Range(0, Batch).Unscoped();
        step = new(ours, theirs, Tensor.From([.. labels.Take(Batch).Select(label => (long)label)]).Unscoped(), indices, Epoch: 1);
    }

    [Benchmark]
    public void ForwardAndBackward()
    {
        using var scope = TensorScope.Open();
        method.Compute(step).Select(term => term.Value).Aggregate((sum, term) => sum + term).Backward();
        foreach (var leaf in leaves) leaf.Grad = null;
    }
}
