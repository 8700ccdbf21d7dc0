using DistillSharp.Data;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class TrainingStepTests
{
    const int Count = 4, Side = 16;

    [Fact]
    public void One_step_moves_a_norms_statistics_by_a_tenth_of_the_batchs()
    {
        using var scope = TensorScope.Open();
        using var student = Networks.Create("resnet8", 5, seed: 1);
        using var objective = new Objective([]);
        var member = PairMember.Of(student, Side);
        using var step =
            new TrainingStep(
                student, null, objective, new(member, member, 5, ReadOnlyMemory<int>.Empty), new() { Precision = Precision.Fp32 });
        var images =
            Tensor.From([.. SmallFiles.Bytes(Count * Side * Side * 3, 5).Select(value => value / 64f)], Count, Side, Side, 3)
                .Permute(0, 3, 1, 2);
        var state = student.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        var convolved = Functional.Conv2d(images.To(DType.Float64), state["conv1.weight"].Detach().To(DType.Float64), null, 1, 1, 1, 1);
        var values = (double)Count * Side * Side;
        var mean = convolved.Sum([0, 2, 3], keep: true) / values;
        var variance = ((convolved - mean) * (convolved - mean)).Sum([0, 2, 3], keep: false) / (values - 1);

        step.Run(Batch.Of(images, Tensor.Range(0, Count)), rate: 0.1, epoch: 1, number: 1);

        // The statistics begin with 0 and 1.
        Near((mean * 0.1).Reshape(-1), state["bn1.running_mean"]);
        Near(variance * 0.1 + 0.9, state["bn1.running_var"]);
    }

    [Fact]
    public void A_step_trains_a_student_that_was_left_in_evaluation_mode()
    {
        using var scope = TensorScope.Open();
        using var student = Networks.Create("resnet8", 5, seed: 1);
        using var objective = new Objective([]);
        var member = PairMember.Of(student, Side);
        using var step =
            new TrainingStep(
                student, null, objective, new(member, member, 5, ReadOnlyMemory<int>.Empty), new() { Precision = Precision.Fp32 });
        student.Train(false);
        step.Run(Batch.Of(Tensor.Rand([Count, 3, Side, Side]), Tensor.Range(0, Count)), rate: 0.1, epoch: 1, number: 1);
        Assert.All(student.NamedModules(), entry => Assert.True(entry.Module.Training, entry.Name));
    }

    static void Near(Tensor expected, Tensor actual)
    {
        var (theirs, ours) = (expected.ToArray<double>(), actual.ToArray<double>());
        Assert.Equal(theirs.Length, ours.Length);
        for (var i = 0; i < ours.Length; i++) Assert.Equal(theirs[i], ours[i], 1e-5 * Math.Max(1, Math.Abs(theirs[i])));
    }
}
