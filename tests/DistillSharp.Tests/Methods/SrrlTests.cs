using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Tests.Methods;

/// <summary>Softmax regression representation learning: the student's features meet the teacher's, also through its classifier.</summary>
public class SrrlTests
{
    // The second teacher's classifier sees more than its last stage: SimKD refuses it.
    [Theory]
    [InlineData("resnet8", "resnet8x4")]
    [InlineData("mobilenet_v2_half", "shufflenet_v2")]
    public void It_is_its_formula_and_trains_the_connector_and_not_the_classifier(string studentName, string teacherName)
    {
        using var scope = TensorScope.Open();
        using var student = Networks.Create(studentName, 10, seed: 1);
        using var teacher = Networks.Create(teacherName, 10, seed: 2);
        teacher.Train(false);
        teacher.RequireGrad(false);
        using var method = new Srrl();
        var line = Assert.Single(method.Bind(Make.Pair(PairMember.Of(student, 32), PairMember.Of(teacher, 32), classes: 10)));
        Assert.EndsWith("and goes through its classifier", line);

        var images = Make.Values(3, 4, 3, 32, 32);
        var output = student.Forward(images, Features.Stages);
        var guidance = teacher.Forward(images, Features.Pooled);
        var terms = method.Compute(Make.Step(output, guidance));

        var connector = Assert.IsType<Sequential>(method.Children[0].Module);
        Tensor h = output.Stages![^1];
        foreach (var layer in connector.Layers) h = layer.Forward(h);
        var pooled = h.Mean(3).Mean(2);
        var head = teacher.Head!;
        var regression = Functional.Linear(pooled, head.Weight, head.Bias);
        Assert.Equal(["srrl.feature", "srrl.regression"], terms.Select(term => term.Name));
        Assert.Equal((pooled - guidance.Pooled!).Pow(2).Mean().Item(), terms[0].Value.Item(), 1e-5);
        Assert.Equal((regression - guidance.Logits).Pow(2).Mean().Item(), terms[1].Value.Item(), 1e-5);

        (terms[0].Value + terms[1].Value).Backward();
        Assert.All(method.Parameters(), parameter => Assert.True(parameter.Grad!.Abs().Max().Item() > 0));
        Assert.Null(head.Weight.Grad);
        Assert.Equal(3, method.Parameters().Length);
        Assert.Same(student, method.Deployed(student));
    }

    [Fact]
    public void The_teachers_classifier_says_of_its_pooled_features_what_it_says_of_the_image()
    {
        using var scope = TensorScope.Open();
        using var teacher = Networks.Create("resnet8", 10, seed: 2);
        teacher.Train(false);
        var output = teacher.Forward(Make.Values(3, 4, 3, 32, 32), Features.Pooled);
        // So the second part of the loss is 0 where the features are the teacher's.
        Assert.True(Make.RelativeError(teacher.Head!.Forward(output.Pooled!), output.Logits) < 1e-5);
    }

    [Fact]
    public void A_teacher_without_a_classifier_to_go_through_is_refused_by_name()
    {
        using var student = Networks.Create("resnet8", 10, seed: 1);
        var teacher = Make.Member("strange", pooled: 12);
        Assert.Equal(
            "srrl: strange has no linear classifier on its pooled features, which the student's could go through; take another teacher",
            Assert.Throws<UserException>(() => new Srrl().Bind(Make.Pair(PairMember.Of(student, 32), teacher, classes: 10))).Message);
    }

    [Fact]
    public void It_stays_finite_in_bf16()
    {
        using var scope = TensorScope.Open();
        using var teacher = Networks.Create("resnet8", 6, seed: 2);
        using var student = Networks.Create("resnet8", 6, seed: 1);
        using var method = new Srrl();
        method.Bind(Make.Pair(PairMember.Of(student, 32), PairMember.Of(teacher, 32), classes: 6));
        var s = (Make.Values(1, 5, 64, 8, 8) * 3e4).To(DType.BFloat16).Leaf();
        using var mixed = Precision.Bf16.Enter(Device.Cpu);
        ClassifierOutput guidance = new(Make.Values(2, 5, 6).To(DType.BFloat16), Make.Values(3, 5, 64).To(DType.BFloat16));
        var loss = method.Loss(Make.Step(Make.Stages(s), guidance));
        loss.Backward();
        Assert.True(loss.AllFinite() && s.Grad!.AllFinite());
        Assert.All(method.State(), entry => Assert.True(entry.Tensor.AllFinite(), entry.Name));
    }
}
