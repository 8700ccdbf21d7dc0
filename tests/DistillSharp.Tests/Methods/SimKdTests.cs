using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Interop;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Tests.Training;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Methods;

public class SimKdTests
{
    static (SimKd Method, DistillationPair Pair) Bound(Classifier student, Classifier teacher, int size)
    {
        var pair = Make.Pair(PairMember.Of(student, size), PairMember.Of(teacher, size), classes: 10);
        var method = new SimKd();
        method.Bind(pair);
        return (method, pair);
    }

    // The second student's last stage is eight times as large as the teacher's.
    [Theory]
    [InlineData("mobilenet_v2_half", "resnet8x4", 32)]
    [InlineData("resnet8", "resnet18", 64)]
    [InlineData("wrn_16_2", "wrn_40_2", 32)]
    public void The_student_sees_through_the_teachers_classifier_wherever_it_goes(string studentName, string teacherName, int size)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        using var student = Networks.Create(studentName, 10, seed: 1);
        using var teacher = Networks.Create(teacherName, 10, seed: 2);
        var (method, pair) = Bound(student, teacher, size);
        var deployed = method.Deployed(student);
        deployed.Train(false);
        method.Train(false);
        teacher.Train(false);
        var images = Make.Values(3, 2, 3, size, size);
        var logits = deployed.Forward(images).Logits;

        var output = student.Forward(images, Features.Stages);
        var target = Functional.Relu(teacher.Forward(images, Features.PreActivations).PreActivations![^1]);
        var small = Math.Min(output.Stages![^1].Size(2), target.Size(2));
        var s = Functional.AdaptiveAvgPool2d(output.Stages[^1], small);
        foreach (var layer in ((Torch.Layers.Sequential)method.Children[0].Module).Layers) s = layer.Forward(s);
        Assert.True(Make.RelativeError(logits, teacher.Head!.Forward(Functional.GlobalAvgPool(s))) < 1e-5);
        Assert.Equal(
            (s - Functional.AdaptiveAvgPool2d(target, small)).Pow(2).Mean().Item(),
            method.Loss(Make.Step(new(logits, Stages: output.Stages), teacher.Forward(images, Features.PreActivations))).Item(), 1e-5);

        using var folder = new TemporaryFolder();
        var path = folder["student.safetensors"];
        var set = new ImageSet(new byte[size * size * 3], size, size, 3, [0], [.. Enumerable.Range(0, 10).Select(c => $"{c}")]);
        StudentFile.Write(path, deployed, new("test", set, set, [.5f, .5f, .5f], [.25f, .25f, .25f]), 50);
        var (loaded, description) = StudentFile.Load(path);
        using (loaded)
        {
            Assert.Equal($"{studentName}+{teacherName}", description.Network);
            Assert.True(Make.RelativeError(loaded.Forward(images).Logits, logits) < 1e-5);
        }
    }

    [Theory]
    [InlineData("shufflenet_v2")]
    [InlineData("mobilenet_v2_half")]
    public void A_teacher_whose_classifier_sees_something_else_is_refused(string name)
    {
        using var student = Networks.Create("resnet8", 10, seed: 1);
        using var teacher = Networks.Create(name, 10, seed: 2);
        Assert.StartsWith(
            $"simkd: {name} has no linear classifier", Assert.Throws<UserException>(() => Bound(student, teacher, 32)).Message);
    }

    [Fact]
    public void The_trainer_measures_what_is_deployed()
    {
        using var student = Networks.Create("resnet8", TinyTraining.Classes, seed: 1);
        using var teacher = Networks.Create("resnet14", TinyTraining.Classes, seed: 2);
        using var trainer = new Trainer(student, teacher, [new SimKd()], TinyTraining.Data, TinyTraining.Options() with { Epochs = 1 });
        var measured = trainer.Run().Accuracy!.Value;
        Assert.IsType<ReusedClassifier>(trainer.Deployed);
        var right = Accuracy.Measure(trainer.Deployed, TinyTraining.Data.Test, TinyTraining.Data.Normalization, Precision.Fp32);
        Assert.Equal(100.0 * right.Correct1 / right.Images, measured.Top1, 1e-9);
    }

    [Fact]
    public void No_label_is_used()
    {
        using var objective = new Objective([new SimKd()]);
        Assert.Equal(["simkd"], objective.Methods.Select(method => method.Name));
    }
}
