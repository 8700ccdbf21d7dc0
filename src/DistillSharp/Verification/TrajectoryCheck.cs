using System.Text.Json.Serialization;
using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Extending;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Training;

namespace DistillSharp.Verification;

/// <summary>
/// Checks training steps, taken by the type that training takes them with, in its layout and kernels: the total loss before each,
/// and by how much the student's answers changed. The measure is what the optimizer did: what only the batch norms' statistics did
/// is in the reference as <c>logits_without_updates</c>.
/// </summary>
static class TrajectoryCheck
{
    // The cases hold the full weight of methods whose weight rises over the first epochs.
    const int LabelClasses = 10, ImageSize = 32, AfterWarmup = 1_000_000;

    // Of bf16's 8 binary digits: a step that trains on nothing, or in another direction, is 1 and more off.
    const double Bf16LossFactor = 20, Bf16ChangeFactor = 20;

    sealed record Optimizer(
        [property: JsonPropertyName("lr")] double Rate,
        [property: JsonPropertyName("momentum")] double Momentum,
        [property: JsonPropertyName("weight_decay")] double WeightDecay);

    public static bool Knows(ReferenceCase reference, Toolkit toolkit) =>
        toolkit.Networks.Contains(reference.Text("student")) && toolkit.Networks.Contains(reference.Text("teacher")) &&
        toolkit.Methods.Contains(reference.Text("method").Split('-')[0]);

    public static void Run(ReferenceCase reference, Comparison comparison, Toolkit toolkit, Device device, Precision precision)
    {
        var expected = reference["logits"];
        var classes = (int)expected.Size(1);
        using var student = Network(reference, toolkit, "student", classes);
        using var network = Network(reference, toolkit, "teacher", classes);
        using var objective = new Objective(Method(reference.Text("method"), toolkit));
        using var teacher = objective.TeacherFeatures is { } features ? new FrozenTeacher(network, features, ImageSize, device) : null;
        var settings = reference.Parsed<Optimizer>("optimizer");
        TrainingOptions options =
            new() { Momentum = settings.Momentum, WeightDecay = settings.WeightDecay, Precision = precision, Device = device };
        DistillationPair pair =
            new(PairMember.Of(student, ImageSize), PairMember.Of(network, ImageSize), classes, ReadOnlyMemory<int>.Empty);
        using var step = new TrainingStep(student, teacher, objective, pair, options);

        var losses = new double[reference.Whole("steps")];
        for (var k = 0; k < losses.Length; k++)
            losses[k] = step.Run(Batch(reference, k), settings.Rate, AfterWarmup, k + 1).Sum(term => term.Value);
        comparison.Close(
            "losses", losses, reference["loss"].ToArray<double>(), Tolerance(reference, "loss_tolerance", precision, Bf16LossFactor));

        var input =
            reference.Values.Uniform("input", -1.7, 1.7, reference.Sizes("eval_input")).Contiguous(MemoryFormat.ChannelsLast).To(device);
        using var mode = new EvaluationMode(student, new(input.Size(2), input.Size(3)), Precision.Fp32, device);
        var before = reference["logits_without_updates"];
        var after = student.Forward(input).Logits.To(Device.Cpu);
        comparison.Close(
            "change of the logits", after - before, expected - before,
            Tolerance(reference, "change_tolerance", precision, Bf16ChangeFactor));
    }

    static double Tolerance(ReferenceCase reference, string key, Precision precision, double bf16Factor) =>
        reference.Number(key) * (precision == Precision.Bf16 ? bf16Factor : 1);

    static Batch Batch(ReferenceCase reference, int k)
    {
        var count = reference.Whole("batch");
        return Data.Batch.Of(reference.Values.Uniform($"batch{k}", -1.7, 1.7, count, 3, ImageSize, ImageSize),
            reference.Values.Labels($"batch{k}.target", LabelClasses, count));
    }

    static Classifier Network(ReferenceCase reference, Toolkit toolkit, string member, int classes)
    {
        using var unset = Initialize.Skip();
        var network = toolkit.Networks.Create(reference.Text(member), classes);
        reference.Values.Fill(network, $"{member}.");
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
        "fsecd-instance" or "fsecd-class" =>
            [("weight", "1"), ("temperature", "0.1"), ("layer", "pooled"), ("policy", name["fsecd-".Length..])],
        _ => [],
    };
}
