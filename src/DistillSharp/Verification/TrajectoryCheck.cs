using System.Text.Json.Serialization;
using DistillSharp.Extending;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Optimizers;

namespace DistillSharp.Verification;

/// <summary>
/// Checks training steps: the total loss before each, and what the student answers afterwards. It runs in row-major order, as
/// the reference did: with batches of 8 these steps amplify rounding until two orders of summation differ by some percent in
/// the logits (docs/decisions.md), and only the same operators in the same order can be told from wrong ones. That order depends
/// on how many threads share a sum, so there are as many as the reference had, whatever the machine.
/// </summary>
static class TrajectoryCheck
{
    const int ReferenceThreads = 2;
    const double LossTolerance = 1e-3, LogitsTolerance = 1e-2;

    sealed record Optimizer(
        [property: JsonPropertyName("lr")] double Rate,
        [property: JsonPropertyName("momentum")] double Momentum,
        [property: JsonPropertyName("weight_decay")] double WeightDecay);

    public static bool Knows(ReferenceCase reference, Toolkit toolkit) =>
        toolkit.Networks.Contains(reference.Text("student")) && toolkit.Networks.Contains(reference.Text("teacher")) &&
        toolkit.Methods.Contains(reference.Text("method").Split('-')[0]);

    public static void Run(ReferenceCase reference, Comparison comparison, Toolkit toolkit, Device device)
    {
        var threads = Runtime.Threads;
        Runtime.Threads = ReferenceThreads;
        try
        {
            Compare(reference, comparison, toolkit, device);
        }
        finally
        {
            Runtime.Threads = threads;
        }
    }

    static void Compare(ReferenceCase reference, Comparison comparison, Toolkit toolkit, Device device)
    {
        var expectedLogits = reference["logits"];
        var classes = (int)expectedLogits.Size(1);
        using var student = Network(reference, toolkit, "student", classes, device);
        using var teacher = Network(reference, toolkit, "teacher", classes, device);
        teacher.Train(false);
        teacher.RequireGrad(false);

        using var objective = new Objective(Method(reference.Text("method"), toolkit));
        objective.Bind(new(PairMember.Of(student, 32), PairMember.Of(teacher, 32), classes, ReadOnlyMemory<int>.Empty));

        var settings = reference.Parsed<Optimizer>("optimizer");
        using var optimizer = new Sgd(student.Parameters(), settings.Momentum, settings.WeightDecay);
        var losses = new double[reference.Whole("steps")];
        for (var k = 0; k < losses.Length; k++)
            losses[k] = Step(reference, k, student, teacher, objective, optimizer, settings.Rate, device);
        comparison.Close("losses", losses, reference["loss"].ToArray<double>(), LossTolerance);

        student.Train(false);
        using var off = Autograd.NoGrad();
        var input = reference.Values.Uniform("input", -1.7, 1.7, reference.Sizes("eval_input")).To(device);
        comparison.Close("logits afterwards", student.Forward(input).Logits, expectedLogits, LogitsTolerance);
    }

    static double Step(
        ReferenceCase reference, int k, Classifier student, Classifier teacher, Objective objective, Sgd optimizer, double rate, Device device)
    {
        const int labelClasses = 10;
        using var scope = TensorScope.Open();
        var batch = reference.Whole("batch");
        var images = reference.Values.Uniform($"batch{k}", -1.7, 1.7, batch, 3, 32, 32).To(device);
        var labels = reference.Values.Labels($"batch{k}.target", labelClasses, batch).To(device);
        ClassifierOutput guidance;
        using (Autograd.NoGrad()) guidance = teacher.Forward(images, objective.TeacherFeatures ?? Features.Logits);
        var step = new DistillationStep(
            student.Forward(images, objective.StudentFeatures), guidance, labels, Tensor.Range(0, batch, device: device), Epoch: 1_000_000);
        var loss = objective.Compute(step).Select(term => term.Value).Aggregate((sum, term) => sum + term);
        optimizer.ZeroGrad();
        loss.Backward();
        optimizer.Step(rate);
        return loss.Item();
    }

    static Classifier Network(ReferenceCase reference, Toolkit toolkit, string member, int classes, Device device)
    {
        var network = toolkit.Networks.Create(reference.Text(member), classes);
        reference.Values.Fill(network, $"{member}.");
        using (TensorScope.Open())
            foreach (var (_, tensor) in network.State()) tensor.SetData(tensor.Detach().Contiguous());
        network.To(device);
        return network;
    }

    // The cases state these settings in their description, not in their files.
    static IEnumerable<DistillationMethod> Method(string name, Toolkit toolkit)
    {
        if (name == "ce") yield break;
        var method = toolkit.Methods.Create(name.Split('-')[0]);
        foreach (var (setting, value) in Settings(name))
            Setting.Of(method, method.Name).Single(own => own.Name == setting).Write(method, value);
        yield return method;
    }

    static IEnumerable<(string Setting, string Value)> Settings(string name) => name switch
    {
        "kd" => [("weight", "0.9"), ("temperature", "4")],
        "dkd" => [("weight", "1"), ("alpha", "1"), ("beta", "2"), ("temperature", "4"), ("warmup", "0")],
        "at" => [("weight", "1000")],
        "rkd" => [("weight", "1"), ("distance_weight", "25"), ("angle_weight", "50")],
        "fsecd-instance" or "fsecd-class" => [("weight", "1"), ("temperature", "0.1"), ("layer", "pooled"), ("policy", name["fsecd-".Length..])],
        _ => [],
    };
}
