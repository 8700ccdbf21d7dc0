using DistillSharp.Extending;
using DistillSharp.Models;

namespace DistillSharp.Verification;

/// <summary>Checks a network: its parameters and state by name and shape, its logits and features by value.</summary>
static class ModelCheck
{
    const double Tolerance = 1e-4;

    public static bool Knows(ReferenceCase reference, Toolkit toolkit) => toolkit.Networks.Contains(reference.Text("arch"));

    public static void Run(ReferenceCase reference, Comparison comparison, Toolkit toolkit, Device device)
    {
        using var unset = Initialize.Skip();
        using var network = toolkit.Networks.Create(reference.Text("arch"), reference.Whole("classes"));
        comparison.Same("parameters", $"{network.ParameterCount}", reference.Text("parameters"));
        CompareState(network, reference.Parsed<Dictionary<string, long[]>>("state"), comparison);
        if (comparison.Differences.Count > 0) return;

        reference.Values.Fill(network);
        network.To(device);
        network.Train(false);
        using var off = Autograd.NoGrad();
        var images =
            reference.Values.Uniform("input", -1.7, 1.7, reference.Sizes("input_shape")).Contiguous(MemoryFormat.ChannelsLast).To(device);
        var output = network.Forward(images, Features.Pooled | Features.Stages | Features.PreActivations);

        comparison.Close("logits", output.Logits, reference["logits"], Tolerance);
        comparison.Close("pooled", output.Pooled!, reference["pooled"], Tolerance);
        CompareStages("feats", output.Stages!, reference, comparison);
        CompareStages("preact_feats", output.PreActivations!, reference, comparison);
    }

    static void CompareState(Classifier network, Dictionary<string, long[]> expected, Comparison comparison)
    {
        var actual = network.State().ToDictionary(entry => entry.Name, entry => entry.Tensor.Shape);
        foreach (var (name, shape) in expected)
            if (!actual.TryGetValue(name, out var own)) comparison.Missing(name);
            else comparison.Same($"shape of {name}", string.Join("x", own), string.Join("x", shape));
        foreach (var name in actual.Keys.Except(expected.Keys)) comparison.Same(name, "present", "absent");
    }

    static void CompareStages(string kind, IReadOnlyList<Tensor> stages, ReferenceCase reference, Comparison comparison)
    {
        var shapes = reference.Parsed<long[][]>($"{kind}.shapes");
        comparison.Same($"{kind} shapes", Shapes(stages.Select(stage => stage.Shape)), Shapes(shapes));
        if (shapes.Length == 0 || shapes.Length != stages.Count) return;
        var statistics = reference[$"{kind}.stats"];
        for (var i = 0; i < stages.Count; i++)
        {
            using var scope = TensorScope.Open();
            var x = stages[i].To(DType.Float64);
            double[] actual = [x.Mean().Item(), x.Abs().Mean().Item(), Math.Sqrt((x * x).Mean().Item())];
            // The mean may be near zero by cancellation: it is measured on the scale of the other two.
            comparison.Close($"{kind}[{i}] (mean, mean |x|, rms)", actual, statistics.Select(0, i).ToArray<double>(), Tolerance);
        }
    }

    static string Shapes(IEnumerable<IEnumerable<long>> shapes) => string.Join(" ", shapes.Select(shape => string.Join("x", shape)));
}
