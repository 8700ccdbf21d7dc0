using System.Text.Json;
using DistillSharp.Evaluation;
using DistillSharp.Interop.Onnx;
using DistillSharp.Interop.Onnx.Messages;
using DistillSharp.Onnx.Measurement;
using Google.Protobuf;

namespace DistillSharp.Onnx.Quantization;

/// <summary>
/// Writes networks as ONNX in int8 by static quantization after training: a quarter of the size, and integer arithmetic where the
/// processor has it.
/// </summary>
public static class Int8Export
{
    // Ranges are compared on so many images.
    const int CompareImages = 128;

    // How ranges are called that come with the network.
    const string Trained = "trained";

    static readonly double[] candidates = [100, 99.999, 99.99, 99.9];

    /// <summary>
    /// Writes a network as a graph of QuantizeLinear and DequantizeLinear. Ranges are found on training images, accuracy before and
    /// after is measured on the test images and written into the metadata (<c>accuracy</c>, <c>accuracy_float32</c>,
    /// <c>quantization</c>). The file is whole, or not there.
    /// </summary>
    /// <param name="network">The network; its mode and weights stay as they are.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="data">The data set that it was trained on.</param>
    /// <param name="options">How the graph is written; the normalization of the set where it says none.</param>
    /// <param name="int8">How it becomes int8.</param>
    /// <param name="progress">Told what is being done.</param>
    /// <exception cref="UsageException">An option is impossible or names no layer.</exception>
    /// <exception cref="UserException">The network cannot be written as ONNX, does not fit the data, or the file cannot be
    /// written.</exception>
    public static Int8Report ExportInt8(
        this Classifier network, string path, Dataset data, OnnxOptions? options = null, Int8Options? int8 = null,
            IProgress<WorkProgress>? progress = null)
    {
        (options, int8) = (options ?? new(), int8 ?? new());
        options = options with
        {
            Normalization = options.Normalization ?? data.Normalization,
            ClassNames = options.ClassNames ?? data.ClassNames,
            ImageSize = options.ImageSize ?? new(data.Train.Height, data.Train.Width),
        };
        int8.Validate();
        options.Validate(network.Name, network.Classes);
        var model = OnnxModel.Of(network, options, out var names);
        // Ranges are of the network with its norms folded.
        var trained = int8.Calibration == Calibration.Auto && options.FoldBatchNorm && network.TrainedRanges is not null
            ? QuantizationPoints.Of(model.Graph, names).Trained(network) : null;
        var kept = Kept(network.Name, QuantizationPlan.Layers(model.Graph), int8.KeepFloat);
        var work = new Work(model, data, int8, progress);
        var before = work.Accuracy(model, "float32", data.Test);
        var (ranges, calibration) = work.Calibrate(kept, trained);
        var written = work.Int8(ranges, kept, out var layers);
        var after = work.Accuracy(written, "int8", data.Test);
        var costs = before.Top1 - after.Top1 > int8.LargestLoss ? work.Costs(ranges, kept) : [];

        Describe(written, before, after, new
        {
            weights = "int8, symmetric, per channel", activations = "uint8, per tensor", calibration, images = work.Images, float32 = kept,
        });
        AtomicFile.Write(path, file => written.WriteTo(file));
        return new(path, written.CalculateSize(), model.CalculateSize(), before, after, calibration, work.Images, layers, [.. kept], costs);
    }

    static HashSet<string> Kept(string network, IReadOnlyList<string> layers, IReadOnlyList<string> given)
    {
        if (layers.Count == 0) throw new UserException($"{network} has no convolution or linear layer that can be quantized");
        return [.. given.Select(name => name switch
        {
            Int8Options.First => layers[0],
            Int8Options.Last => layers[^1],
            _ => layers.Contains(name) ? name
                : throw new UsageException(
                    $"{network} has no layer '{name}' to keep in float32; there are {Int8Options.First}, {Int8Options.Last}, "
                    + $"{string.Join(", ", layers)}"),
        })];
    }

    static void Describe(ModelProto model, Accuracy before, Accuracy after, object quantization)
    {
        var entries = model.MetadataProps.ToDictionary(entry => entry.Key, entry => entry.Value);
        entries["accuracy"] = after.Top1.ToString("R", CultureInfo.InvariantCulture);
        entries["accuracy_float32"] = before.Top1.ToString("R", CultureInfo.InvariantCulture);
        entries["quantization"] = JsonSerializer.Serialize(quantization);
        model.MetadataProps.Clear();
        model.MetadataProps.AddRange(entries.OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }));
    }

    // What all steps need.
    sealed class Work(ModelProto model, Dataset data, Int8Options options, IProgress<WorkProgress>? progress)
    {
        readonly ImageSet images = data.Train.Subset(options.Images);

        public int Images => images.Count;

        public Accuracy Accuracy(ModelProto measured, string name, ImageSet on)
        {
            using var classifier = Load(measured, name);
            return OnnxAccuracy.Measure(classifier, data, on, progress);
        }

        public ModelProto Int8(IReadOnlyDictionary<string, ActivationRange> ranges, IReadOnlySet<string> kept, out int layers)
        {
            var plan = QuantizationPlan.Of(model.Graph, kept);
            layers = plan.LayerCount;
            var copy = model.Clone();
            copy.Graph = Int8Graph.Of(model.Graph, plan, ranges);
            return copy;
        }

        public (IReadOnlyDictionary<string, ActivationRange> Ranges, string Name) Calibrate(
            IReadOnlySet<string> kept, IReadOnlyDictionary<string, ActivationRange>? trained)
        {
            // All that any choice of layers needs.
            var plan = QuantizationPlan.Of(model.Graph, new HashSet<string>());
            var tensors = plan.Tensors.ToList();
            if (trained is not null && tensors.TrueForAll(tensor => trained.ContainsKey(plan.ScaleOf(tensor)))) return (trained, Trained);
            var seen = CalibrationRun.Of(model, tensors, data, images, progress);
            double[] tried = options.Calibration switch
            {
                Calibration.MinMax => [100],
                Calibration.Percentile => [options.Percentile],
                _ => candidates,
            };
            var chosen = tried.Length == 1 ? tried[0] : Nearest(tried, seen, kept);
            // What a translation into several nodes hides between them was not trained.
            if (trained is not null)
                return (Ranges(seen, chosen).ToDictionary(
                    range => range.Key, range => trained.TryGetValue(range.Key, out var own) ? own : range.Value), Trained);
            return (Ranges(seen, chosen), chosen == 100 ? "min-max" : $"percentile {chosen.ToString(CultureInfo.InvariantCulture)}");
        }

        double Nearest(double[] tried, IReadOnlyDictionary<string, ActivationHistogram> seen, IReadOnlySet<string> kept)
        {
            var compared = images.Subset(CompareImages);
            var expected = Logits(model, compared);
            return tried.Select((percent, done) =>
            {
                progress?.Report(new("choice of ranges", done, tried.Length));
                var logits = Logits(Int8(Ranges(seen, percent), kept, out _), compared);
                return (percent, error: logits.Zip(expected).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
            }).ToList().MinBy(one => one.error).percent;
        }

        public IReadOnlyList<LayerCost> Costs(IReadOnlyDictionary<string, ActivationRange> ranges, IReadOnlySet<string> kept)
        {
            var sample = data.Test.Subset(options.SampleImages);
            var layers = QuantizationPlan.Layers(model.Graph).Where(layer => !kept.Contains(layer)).ToList();
            double Top1(IReadOnlySet<string> floats)
            {
                using var classifier = Load(Int8(ranges, floats, out _), "int8");
                return OnnxAccuracy.Measure(classifier, data, sample, null).Top1;
            }
            var all = Top1(kept);
            return [.. layers.Select((layer, done) =>
            {
                progress?.Report(new("layers in float32, one by one", done, layers.Count));
                return new LayerCost(layer, Top1(new HashSet<string>(kept) { layer }) - all);
            }).ToList().OrderByDescending(cost => cost.Points)];
        }

        static Dictionary<string, ActivationRange> Ranges(IReadOnlyDictionary<string, ActivationHistogram> seen, double percent) =>
            seen.ToDictionary(tensor => tensor.Key, tensor => percent == 100 ? tensor.Value.MinMax() : tensor.Value.Percentile(percent));

        float[] Logits(ModelProto of, ImageSet on)
        {
            using var classifier = Load(of, "the network");
            return [.. ImageFeed.Of(classifier, data, on, CalibrationRun.BatchOf(on)).SelectMany(classifier.Logits)];
        }

        // One image is as good as many, but slower.
        static OnnxClassifier Load(ModelProto model, string name) => new(CalibrationRun.AnyBatch(model).ToByteArray(), name);
    }
}
