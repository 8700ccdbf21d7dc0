using System.Runtime.InteropServices;
using System.Text.Json;
using DistillSharp.Data;
using DistillSharp.Interop;
using DistillSharp.Interop.Onnx;
using DistillSharp.Interop.Onnx.Messages;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Verification;

namespace DistillSharp.Tests.Interop;

public sealed class OnnxExportTests : IDisposable
{
    const double Tolerance = 1e-4;

    static readonly Normalization cifar = new([.5070f, .4865f, .4409f], [.2673f, .2564f, .2761f]);

    readonly TemporaryFolder folder = new();
    readonly TensorScope scope = TensorScope.Open();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    static Classifier Network(string name, int classes = 10)
    {
        using var values = Initialize.Skip();
        var network = Networks.Create(name, classes);
        new ReferenceValues("onnx").Fill(network);
        return network;
    }

    /// <summary>Photographs where Debian's data set is installed, else noise: float32 [N, 3, side, side], normalized.</summary>
    static Tensor Images(int count, long side)
    {
        if (!Directory.Exists(RealData.FashionMnistRoot))
            return new ReferenceValues("onnx").Uniform("images", -1.7, 1.7, count, 3, side, side);
        var data = fashion.Value;
        var images = Tensor.From(data.Pixels[..(count * 32 * 32 * 3)], count, 32, 32, 3).To(DType.Float32).Permute(0, 3, 1, 2) / 127.5 - 1;
        return (side == 32 ? images
            : new Operator("aten::upsample_nearest2d").Call(images, new[] { side, side }, Argument.None, Argument.None)).Contiguous();
    }

    static readonly Lazy<ImageSet> fashion = new(() => Datasets.FashionMnist(RealData.FashionMnistRoot).Test);

    static float[] Logits(Classifier network, Tensor images)
    {
        var training = network.Training;
        network.Train(false);
        using var off = Autograd.NoGrad();
        var logits = network.Forward(images).Logits.ToArray<float>();
        network.Train(training);
        return logits;
    }

    // Half a gigabyte and more, of the same operators as their kin.
    static readonly string[] tooLarge =
        ["resnet152", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn", "wide_resnet101_2", "wide_resnet50_2"];

    public static TheoryData<string> EveryNetwork => [.. Networks.Names.Except(tooLarge)];

    [Theory]
    [MemberData(nameof(EveryNetwork))]
    public void Every_network_gives_the_same_logits_in_ONNX_Runtime(string name)
    {
        using var network = Network(name);
        var side = QuickSide(network);
        var images = Images(2, side);
        network.ExportOnnx(folder[name], new() { DynamicBatch = true, ImageSize = side });
        var error = OnnxRuntime.RelativeError(OnnxRuntime.Run(folder[name], images), Logits(network, images));
        Assert.True(error < Tolerance, $"relative error {error:g3}");
    }

    const int Parts = 6;

    // In parts: Python takes longer to start than to check a file, but all files at once would fill a small disk.
    public static TheoryData<int> EveryPart => [.. Enumerable.Range(0, Parts)];

    [OnnxCheckerTheory]
    [MemberData(nameof(EveryPart))]
    public void Every_network_passes_the_checker(int part)
    {
        var exported = new List<(string Name, long Side)>();
        foreach (var name in Networks.Names.Except(tooLarge).Where((_, i) => i % Parts == part))
        {
            using var network = Network(name);
            var side = QuickSide(network);
            network.ExportOnnx(folder[name], new() { DynamicBatch = true, ImageSize = side });
            exported.Add((name, side));
        }
        foreach (var ((name, side), said) in exported.Zip(OnnxChecker.Check([.. exported.Select(file => folder[file.Name])])))
        {
            Assert.Equal($"[[\"images\", 1, [\"batch\", 3, {side}, {side}]]]", said.GetProperty("inputs").GetRawText());
            Assert.Equal("""[["logits", 1, ["batch", 10]]]""", said.GetProperty("outputs").GetRawText());
            Assert.Equal(name, said.GetProperty("metadata").GetProperty("network").GetString());
        }
    }

    // Networks for 224 take any size, and are quicker for a smaller one.
    static long QuickSide(Classifier network) =>
        network.Input.OnlyNatural ? network.Input.Natural.Height : Math.Min(64, network.Input.Natural.Height);

    [Fact]
    public void Every_option_gives_the_same_logits()
    {
        // Convolutions with norms to fold, norms that cannot be folded, groups, shuffles, concatenations, layer norms, gates.
        foreach (
            var name in new[] {
                "resnet8", "wrn_16_1", "shufflenet_v2", "mobilenet_v2_half", "mobilenet_v3_small_cifar", "convnext_atto_cifar" })
        {
            using var network = Network(name, 7);
            var pixels = Tensor.From(Enumerable.Range(0, 3 * 32 * 32 * 3).Select(i => (byte)(i * 7919 % 256)).ToArray(), 3, 32, 32, 3);
            var images = Normalized(pixels);
            var expected = Logits(network, images);
            OnnxOptions[] variants =
            [
                new() { Batch = 3 },
                new() { DynamicBatch = true, Opset = OnnxOptions.OldestOpset },
                new() { DynamicBatch = true, Opset = OnnxOptions.NewestOpset },
                new() { DynamicBatch = true, FoldBatchNorm = false },
                new() { DynamicBatch = true, WithPreprocessing = true, Normalization = cifar },
            ];
            Assert.All(variants, options =>
            {
                network.ExportOnnx(folder[name], options);
                var logits = OnnxRuntime.Run(folder[name], options.WithPreprocessing ? pixels : images);
                Assert.True(OnnxRuntime.RelativeError(logits, expected) < Tolerance);
            });
        }
    }

    static Tensor Normalized(Tensor pixels)
    {
        var values = new float[pixels.Count];
        cifar.Apply(pixels.Memory<byte>(), values);
        return Tensor.From(values, [.. pixels.Shape]).Permute(0, 3, 1, 2).Contiguous();
    }

    // W' = W gain / sqrt(variance + epsilon), b' = shift - mean gain / sqrt(variance + epsilon), in double precision, from the file's
    // bytes.
    [Fact]
    public void Folded_norms_are_in_the_weights_by_arithmetic_alone()
    {
        using var network = Network("resnet8", 3);
        network.ExportOnnx(folder["folded"]);
        var graph = ModelProto.Parser.ParseFrom(File.ReadAllBytes(folder["folded"])).Graph;
        Assert.DoesNotContain(graph.Node, node => node.OpType == "BatchNormalization");
        var written =
            graph.Initializer.ToDictionary(tensor => tensor.Name, tensor => MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray());
        var convolutions = graph.Node.Where(node => node.OpType == "Conv").ToArray();
        string[] paired = ["conv1 bn1", "layer1.0.conv1 layer1.0.bn1", "layer1.0.conv2 layer1.0.bn2"];
        foreach (var (names, node) in paired.Select(pair => pair.Split(' ')).Zip(convolutions))
        {
            double[] Of(string name) => [.. network.State().First(entry => entry.Name == name).Tensor.Detach().ToArray<float>()];
            var (weight, gain, shift) = (Of($"{names[0]}.weight"), Of($"{names[1]}.weight"), Of($"{names[1]}.bias"));
            var (mean, variance) = (Of($"{names[1]}.running_mean"), Of($"{names[1]}.running_var"));
            var scale = gain.Zip(variance, (g, v) => g / Math.Sqrt(v + 1e-5)).ToArray();
            Near(weight.Select((w, at) => w * scale[at / (weight.Length / scale.Length)]), written[node.Input[1]]);
            Near(shift.Select((b, channel) => b - mean[channel] * scale[channel]), written[node.Input[2]]);
        }

        static void Near(IEnumerable<double> expected, float[] actual)
        {
            Assert.Equal(expected.Count(), actual.Length);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Abs(pair.First) + 1e-9));
        }
    }

    [OnnxCheckerFact]
    public void Norms_are_folded_and_the_rest_is_written_down()
    {
        using var network = Network("resnet8", 3);
        network.ExportOnnx(folder["folded"], new()
        {
            DynamicBatch = true, Opset = 15, ClassNames = ["a", "b \"quoted\"", "Zürich"], Normalization = cifar,
            Metadata = new Dictionary<string, string> { ["accuracy"] = "72.63" },
        });
        network.ExportOnnx(folder["whole"], new() { FoldBatchNorm = false });
        var said = OnnxChecker.Check(folder["folded"], folder["whole"]);
        string[] plain = ["Add", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Identity", "Relu"];
        Assert.Equal(plain, Operators(said[0]));
        Assert.Equal(plain.Append("BatchNormalization").Order(StringComparer.Ordinal), Operators(said[1]));
        Assert.Equal(15, said[0].GetProperty("opset").GetInt32());
        Assert.Equal("""[["images", 1, ["batch", 3, 32, 32]]]""", said[0].GetProperty("inputs").GetRawText());
        Assert.Equal("""[["images", 1, [1, 3, 32, 32]]]""", said[1].GetProperty("inputs").GetRawText());
        Assert.StartsWith("DistillSharp ", said[0].GetProperty("producer").GetString());
        string Metadata(string key) => said[0].GetProperty("metadata").GetProperty(key).GetString()!;
        Assert.Equal(["a", "b \"quoted\"", "Zürich"], JsonSerializer.Deserialize<string[]>(Metadata("classes"))!);
        Assert.Equal("[0.507, 0.4865, 0.4409]", Metadata("mean"));
        Assert.Equal("[0.2673, 0.2564, 0.2761]", Metadata("std"));
        Assert.Equal("[32,32]", Metadata("image_size"));
        Assert.Equal("72.63", Metadata("accuracy"));
    }

    static IEnumerable<string> Operators(JsonElement said) =>
        said.GetProperty("operators").EnumerateArray().Select(name => name.GetString()!);

    /// <summary>The students of the paper's tables for CIFAR-100.</summary>
    public static TheoryData<string> Students =>
        ["resnet20", "resnet32", "resnet8x4", "wrn_16_2", "wrn_40_1", "vgg8", "mobilenet_v2_half", "shufflenet_v1", "shufflenet_v2"];

    [SharedTheory]
    [MemberData(nameof(Students))]
    public void Every_student_classifies_1000_real_images_the_same(string name)
    {
        const int count = 1000, batch = 250;
        using var network = Network(name, 100);
        // The one student with trained weights beside the project.
        if (name == "resnet20") network.LoadWeights(SharedFiles.Path("data/checkpoints/resnet20-legacy.pth"));
        var test = RealData.Cifar100.Test.Subset(count);
        Tensor[] pixels =
            [.. Enumerable.Range(0, count / batch)
                .Select(i => Tensor.From(test.Pixels[(i * batch * 3072)..((i + 1) * batch * 3072)], batch, 32, 32, 3))];
        network.ExportOnnx(folder[name], new() { DynamicBatch = true, WithPreprocessing = true, Normalization = cifar });
        float[] given = [.. pixels.SelectMany(images => OnnxRuntime.Run(folder[name], images))];
        float[] expected = [.. pixels.SelectMany(images => Logits(network, Normalized(images)))];

        var error = OnnxRuntime.RelativeError(given, expected);
        Assert.True(error < Tolerance, $"relative error {error:g3}");
        Assert.Equal(Right(expected), Right(given));
        if (name == "resnet20") Assert.InRange(Right(given), 650, 740);

        int Right(float[] logits) => Enumerable.Range(0, count).Count(i => Guess(logits.AsSpan(i * 100, 100)) == test.Labels[i]);
    }

    static int Guess(ReadOnlySpan<float> logits) => Array.IndexOf(logits.ToArray(), logits.ToArray().Max());

    [Fact]
    public void The_same_network_gives_the_same_bytes_and_stays_as_it_was()
    {
        using var network = Network("resnet8");
        network.ExportOnnx(folder["a"]);
        Assert.True(network.Training);
        Assert.True(network.Parameters()[0].RequiresGrad);
        network.ExportOnnx(folder["b"]);
        Assert.Equal(File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["b"]));
    }

    [Fact]
    public void A_network_whose_norms_are_folded_gives_the_same_graph_results()
    {
        using var network = Network("resnet8");
        var images = Images(2, 32);
        var expected = Logits(network, images);
        using (network.FoldNorms()) network.ExportOnnx(folder["folded"], new() { Batch = 2 });
        Assert.True(OnnxRuntime.RelativeError(OnnxRuntime.Run(folder["folded"], images), expected) < Tolerance);
    }

    [Theory]
    [InlineData(12, 1, false, "13 to 20")]
    [InlineData(21, 1, false, "13 to 20")]
    [InlineData(17, 0, false, "batch of 0")]
    [InlineData(17, 1, true, "mean and the standard deviation")]
    public void Impossible_options_are_refused(int opset, int batch, bool preprocessing, string said)
    {
        using var network = Network("resnet8");
        var error =
            Assert.Throws<UsageException>(
                () => network.ExportOnnx(folder["x"], new() { Opset = opset, Batch = batch, WithPreprocessing = preprocessing }));
        Assert.Contains(said, error.Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void An_image_size_that_the_network_cannot_take_is_refused()
    {
        using var network = Network("vgg8");
        Assert.Throws<UserException>(() => network.ExportOnnx(folder["x"], new() { ImageSize = 4 }));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void What_has_no_counterpart_is_named()
    {
        Assert.Contains("aten::cumsum", Refusal(x => new Operator("aten::cumsum").Call(x, 1L, Argument.None)));
        Assert.Contains("in place", Refusal(x =>
        {
            var view = x.Narrow(1, 0, 1);
            x.MultiplyInPlace(2);
            return view;
        }));
        Assert.Contains("batch", Refusal(x => x.Reshape(x.Size(2), -1)));
        var foreign = Tensor.Ones([1]);
        Assert.Contains("neither computed from the images nor a parameter", Refusal(x => x + foreign));
    }

    string Refusal(Func<Tensor, Tensor> compute)
    {
        using var network = new Odd(compute);
        var error = Assert.Throws<UserException>(() => network.ExportOnnx(folder["odd"]));
        Assert.StartsWith("odd cannot be written as ONNX: ", error.Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
        return error.Message;
    }

    sealed class Odd : Classifier
    {
        readonly Func<Tensor, Tensor> compute;
        readonly DistillSharp.Torch.Layers.Linear fc;

        public Odd(Func<Tensor, Tensor> compute) : base("odd", 4, new InputRule(32))
        {
            this.compute = compute;
            fc = Child("fc", new DistillSharp.Torch.Layers.Linear(3, 4));
        }

        protected override Tensor Compute(Tensor images, FeatureTap tap)
        {
            var x = compute(images * 1);
            return x.Dimensions == 4 && x.Size(1) == 3 ? fc.Forward(x.Mean([2, 3])) : x;
        }
    }
}
