using System.Text.Json;
using DistillSharp.Data;
using DistillSharp.Interop.Onnx;
using DistillSharp.Interop.Onnx.Messages;
using DistillSharp.Models;
using DistillSharp.Onnx;
using DistillSharp.Onnx.Measurement;
using DistillSharp.Onnx.Quantization;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Verification;
using Microsoft.ML.OnnxRuntime;

namespace DistillSharp.Tests.Onnx;

public sealed class Int8ExportTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly TensorScope scope = TensorScope.Open();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    static Dataset Data(int images = 24)
    {
        var set =
            new ImageSet(
                SmallFiles.Bytes(images * 32 * 32 * 3, 1), 32, 32, 3, [.. Enumerable.Range(0, images).Select(i => i % 3)],
                ["cat", "dog", "Zürich"]);
        return new("pets", set, set, [.5f, .4f, .3f], [.2f, .25f, .3f]);
    }

    static Classifier Network(string name = "resnet8")
    {
        var network = Networks.Create(name, 3, seed: 1);
        new ReferenceValues("onnx").Fill(network);
        return network;
    }

    static ModelProto Read(string path) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));

    // What ONNX Runtime makes of a file: the operators that it really runs.
    string[] Optimized(string path)
    {
        using var options =
            new SessionOptions
            {
                OptimizedModelFilePath = folder["optimized.onnx"], LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR
            };
        new InferenceSession(path, options).Dispose();
        return [.. Read(folder["optimized.onnx"]).Graph.Node.Select(node => node.OpType)];
    }

    // The students of the paper, with residual sums, shuffles, depthwise convolutions, two linear layers, pooling.
    [Theory]
    [InlineData("resnet8", 10)]
    [InlineData("resnet18", 21)]
    [InlineData("vgg8", 6)]
    [InlineData("shufflenet_v2", 50)]
    [InlineData("mobilenet_v2_half", 50)]
    public void Every_layer_becomes_an_operator_on_integers(string name, int atLeast)
    {
        using var network = Network(name);
        var report =
            network.ExportInt8(folder["a.onnx"], Data(), int8: new() { Images = 6, Calibration = Calibration.MinMax, LargestLoss = 100 });
        Assert.True(report.Layers >= atLeast, $"{report.Layers} layers");
        var run = Optimized(folder["a.onnx"]);
        Assert.DoesNotContain("Conv", run);
        Assert.DoesNotContain("FusedConv", run);
        Assert.DoesNotContain("Gemm", run);
        Assert.Equal(report.Layers, run.Count(type => type is "QLinearConv" or "QGemm"));
        // Between layers nothing goes back to float32: only the image comes in, only logits go out.
        if (name is "resnet8" or "resnet18")
            Assert.Equal((1, 0), (run.Count(type => type == "QuantizeLinear"), run.Count(type => type is "Relu" or "Add")));
    }

    [Fact]
    public void The_file_says_what_became_of_it()
    {
        using var network = Network();
        var heard = new Heard();
        var report =
            network.ExportInt8(
                folder["a.onnx"], Data(), new() { DynamicBatch = true },
                new() { Images = 12, LargestLoss = 100, KeepFloat = ["first", "fc"] }, heard);
        using var classifier = new OnnxClassifier(folder["a.onnx"]);
        Assert.Equal(report.Int8, OnnxAccuracy.Measure(classifier, Data()));
        Assert.Equal(report.Int8.Top1, classifier.Card.Accuracy);
        Assert.Equal(new FileInfo(folder["a.onnx"]).Length, report.Bytes);
        Assert.Equal(["conv1", "fc"], report.KeptFloat.Order());
        Assert.Equal((8, 12), (report.Layers, report.Images));
        var metadata = Read(folder["a.onnx"]).MetadataProps.ToDictionary(entry => entry.Key, entry => entry.Value);
        Assert.Equal(report.Float.Top1, double.Parse(metadata["accuracy_float32"], System.Globalization.CultureInfo.InvariantCulture));
        var quantization = JsonDocument.Parse(metadata["quantization"]).RootElement;
        Assert.Equal(
            (report.Calibration, 12, 2),
            (quantization.GetProperty("calibration").GetString(), quantization.GetProperty("images").GetInt32(),
                quantization.GetProperty("float32").GetArrayLength()));
        Assert.Contains("calibration", heard.Steps.Select(step => step.Work));
        Assert.Contains("accuracy of int8", heard.Steps.Select(step => step.Work));
        Assert.Equal(2, Optimized(folder["a.onnx"]).Count(type => type is "FusedConv" or "Conv" or "Gemm"));
    }

    [Fact]
    public void No_two_products_of_a_channel_leave_16_bits()
    {
        using var network = Network();
        network.ExportInt8(folder["a.onnx"], Data(), int8: new() { Images = 6, LargestLoss = 100 });
        var weights =
            Read(folder["a.onnx"]).Graph.Initializer.Where(
                constant => constant.DataType == (int)TensorProto.Types.DataType.Int8 && constant.Dims.Count > 1).ToList();
        Assert.Equal(10, weights.Count);
        foreach (var weight in weights)
            foreach (var channel in weight.RawData.ToArray().Chunk((int)(weight.RawData.Length / weight.Dims[0])))
            {
                var sizes = channel.Select(value => Math.Abs((int)(sbyte)value)).OrderDescending().ToList();
                Assert.InRange(byte.MaxValue * (sizes[0] + sizes[1]), 255 * 80, short.MaxValue);
            }
    }

    [Fact]
    public void A_loss_is_traced_to_layers()
    {
        using var network = Network();
        var report = network.ExportInt8(folder["a.onnx"], Data(), int8: new() { Images = 6, LargestLoss = -101, KeepFloat = ["last"] });
        Assert.Equal(QuantizationPlan.Layers(Plain(network)).Except(["fc"]).Order(), report.Costs.Select(cost => cost.Layer).Order());
        Assert.Equal(report.Costs.Select(cost => cost.Points).OrderDescending(), report.Costs.Select(cost => cost.Points));
    }

    static GraphProto Plain(Classifier network) => OnnxModel.Of(network, new()).Graph;

    [Fact]
    public void Wrong_options_are_refused_and_leave_nothing()
    {
        using var network = Network();
        Said("has no layer 'conv9' to keep in float32; there are first, last, conv1, layer1.0.conv1", new() { KeepFloat = ["conv9"] });
        Said("calibrated on 0 images", new() { Images = 0 });
        Said("a percentile of 10", new() { Percentile = 10 });
        Assert.Empty(Directory.GetFiles(folder.Path));

        void Said(string words, Int8Options options) =>
            Assert.Contains(
                words, Assert.Throws<UsageException>(() => network.ExportInt8(folder["a.onnx"], Data(), int8: options)).Message);
    }

    [Theory]
    [InlineData(99.9)]
    [InlineData(99)]
    public void A_percentile_leaves_out_as_many_values_as_it_says(double percent)
    {
        var random = new Random(1);
        float[] values =
            [.. Enumerable.Range(0, 100_000).Select(_ => (float)(random.NextDouble() * random.NextDouble() * random.NextDouble() * 7))];
        var histogram = new ActivationHistogram();
        foreach (var part in values.Chunk(999)) histogram.Add(part);
        Assert.Equal(new(0, values.Max()), histogram.MinMax());
        var range = histogram.Percentile(percent);
        Assert.Equal(0, range.Low);
        Assert.InRange(100.0 * values.Count(value => value <= range.High) / values.Length, percent, percent + .1);

        // On both sides, with values that are no numbers among them.
        var both = new ActivationHistogram();
        both.Add([.. values, .. values.Select(value => -value), float.NaN, float.PositiveInfinity]);
        var (low, high) = both.Percentile(percent);
        Assert.Equal(-low, high, .01);
        Assert.InRange(100.0 * values.Count(value => value <= high) / values.Length, percent, percent + .1);
    }

    [Fact]
    public void A_range_has_a_byte_for_zero()
    {
        Assert.Equal((1f, 0), (default(ActivationRange).Scale, default(ActivationRange).ZeroPoint));
        Assert.Equal((2f / 255, 127), (new ActivationRange(-1, 1).Scale, new ActivationRange(-1, 1).ZeroPoint));
        Assert.Equal(0, new ActivationRange(0, 6).ZeroPoint);
        Assert.Equal(255, new ActivationRange(-3, 0).ZeroPoint);
    }

    [SharedFact]
    public void A_trained_network_loses_less_than_a_point_and_seven_tenths_of_its_size()
    {
        using var network = Networks.Create("resnet20", 100).LoadWeights(SharedFiles.Path("data/checkpoints/resnet20-legacy.pth"));
        var data = RealData.Cifar100.Limit(train: 256, test: 2000) with { Mean = [.5070f, .4865f, .4409f], Std = [.2673f, .2564f, .2761f] };
        var report = network.ExportInt8(folder["a.onnx"], data, int8: new() { Images = 256 });
        Assert.InRange(report.Float.Top1, 66, 71);
        Assert.InRange(report.Int8.Top1, report.Float.Top1 - 1, report.Float.Top1 + 1);
        Assert.InRange(100.0 * report.Bytes / report.FloatBytes, 25, 30);
        Assert.Empty(report.Costs);
    }
}
