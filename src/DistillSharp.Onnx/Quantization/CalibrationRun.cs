using DistillSharp.Interop.Onnx.Messages;
using Google.Protobuf;

namespace DistillSharp.Onnx.Quantization;

/// <summary>Looks at the activations of a float32 model while it sees images.</summary>
static class CalibrationRun
{
    /// <summary>Counts the values of tensors.</summary>
    /// <param name="model">The model, in float32.</param>
    /// <param name="tensors">Names of its activations.</param>
    /// <param name="data">Whose normalization counts where the model says nothing.</param>
    /// <param name="images">The images.</param>
    /// <param name="progress">Told after each batch.</param>
    public static IReadOnlyDictionary<string, ActivationHistogram> Of(
        ModelProto model, IEnumerable<string> tensors, Dataset data, ImageSet images, IProgress<WorkProgress>? progress)
    {
        var histograms = tensors.ToDictionary(tensor => tensor, _ => new ActivationHistogram());
        // What the network is given is known without asking it.
        var inputs = model.Graph.Input.Select(input => input.Name).ToHashSet();
        var shown = AnyBatch(model);
        shown.Graph.Output.AddRange(histograms.Keys.Where(tensor => !inputs.Contains(tensor)).Select(tensor => new ValueInfoProto
        {
            Name = tensor, Type = new() { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float } },
        }));
        using var classifier = new OnnxClassifier(shown.ToByteArray(), "the network in float32");
        var done = 0;
        foreach (var fed in ImageFeed.Of(classifier, data, images, BatchOf(images)))
        {
            foreach (var input in inputs.Where(histograms.ContainsKey)) histograms[input].Add(fed.Values);
            classifier.Visit(fed, (name, values) => histograms.GetValueOrDefault(name)?.Add(values));
            progress?.Report(new("calibration", done += fed.Labels.Length, images.Count));
        }
        return histograms;
    }

    /// <summary>The model for batches of any size.</summary>
    public static ModelProto AnyBatch(ModelProto model)
    {
        var copy = model.Clone();
        foreach (var value in copy.Graph.Input.Concat(copy.Graph.Output)) value.Type.TensorType.Shape.Dim[0] = new() { DimParam = "batch" };
        return copy;
    }

    /// <summary>How many images fit at once: all activations of a batch lie in memory together.</summary>
    public static int BatchOf(ImageSet images) => Math.Clamp((1 << 18) / (images.Height * images.Width), 4, 64);
}
