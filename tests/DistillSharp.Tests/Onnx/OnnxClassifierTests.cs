using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Interop;
using DistillSharp.Interop.Onnx;
using DistillSharp.Models;
using DistillSharp.Onnx;
using DistillSharp.Onnx.Measurement;
using DistillSharp.Tests.Data;
using DistillSharp.Torch;
using DistillSharp.Verification;

namespace DistillSharp.Tests.Onnx;

public sealed class OnnxClassifierTests : IDisposable
{
    static readonly string[] names = ["cat", "dog", "Zürich"];

    readonly TemporaryFolder folder = new();
    readonly TensorScope scope = TensorScope.Open();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    static Dataset Data(int images = 40)
    {
        var set =
            new ImageSet(SmallFiles.Bytes(images * 32 * 32 * 3, 1), 32, 32, 3, [.. Enumerable.Range(0, images).Select(i => i % 3)], names);
        return new("pets", set, set, [.5f, .4f, .3f], [.2f, .25f, .3f]);
    }

    static Classifier Network()
    {
        var network = Networks.Create("resnet8", 3, seed: 1);
        new ReferenceValues("onnx").Fill(network);
        network.Train(false);
        return network;
    }

    string Export(Classifier network, string name, Func<OnnxOptions, OnnxOptions>? options = null)
    {
        network.ExportOnnx(folder[name], (options ?? (given => given))(new()
        {
            DynamicBatch = true, ClassNames = names, Normalization = Data().Normalization, Metadata = new Dictionary<string,
                string>
            { ["accuracy"] = "71.25", ["dataset"] = "pets" },
        }));
        return folder[name];
    }

    [Fact]
    public void A_file_says_what_it_is()
    {
        using var network = Network();
        using var classifier = new OnnxClassifier(Export(network, "a.onnx"));
        Assert.Equal(
            (null, 3, (Size2?)32, OnnxInput.Normalized), (classifier.Batch, classifier.Classes, classifier.Size, classifier.Input));
        Assert.Equal(names, classifier.Card.ClassNames);
        Assert.Equal(
            ("resnet8", "pets", 71.25, (Size2?)32),
            (classifier.Card.Network, classifier.Card.Dataset, classifier.Card.Accuracy, classifier.Card.ImageSize));
        Assert.Equal([.5f, .4f, .3f], classifier.Card.Normalization!.Mean.ToArray());
        Assert.Equal(new FileInfo(folder["a.onnx"]).Length, classifier.Bytes);
    }

    // A last batch that is not full is where mistakes are made: 40 images in batches of 16 and of 32.
    [Theory]
    [InlineData(null, false)]
    [InlineData(16, false)]
    [InlineData(null, true)]
    [InlineData(16, true)]
    public void Accuracy_is_what_libtorch_finds(int? batch, bool preprocessing)
    {
        using var network = Network();
        var data = Data();
        var expected = Accuracy.Measure(network, data.Test, data.Normalization);
        Assert.InRange(expected.Correct1, 1, 39);
        using var classifier = new OnnxClassifier(Export(network, "a.onnx", options => options with
        {
            DynamicBatch = batch is null,
            Batch = batch ?? 1,
            WithPreprocessing = preprocessing,
        }));
        var told = new Heard();
        Assert.Equal(expected, OnnxAccuracy.Measure(classifier, data, told));
        Assert.Equal((40L, 40L), (told.Steps[^1].Done, told.Steps[^1].Total));
    }

    [Fact]
    public void Of_equal_logits_the_first_class_is_guessed_and_what_is_no_number_never()
    {
        float[] logits = [1, 1, 0, 0, 0, 0, 0, float.NaN, float.NaN, 0, 0, 0, 0, 0];
        Assert.Equal(new(2, 0, 1), OnnxAccuracy.Count(default, logits, [1, 0]));
        Assert.Equal(new(2, 1, 1), OnnxAccuracy.Count(default, logits, [0, 1]));
        Assert.Equal(new(1, 0, 0), OnnxAccuracy.Count(default, logits.AsSpan(0, 7), [6]));
    }

    [Fact]
    public void Files_that_do_not_fit_are_refused_in_a_sentence()
    {
        using var network = Network();
        var file = Export(network, "a.onnx");
        File.WriteAllText(folder["text.onnx"], "no model");
        using var classifier = new OnnxClassifier(file);
        Said($"cannot read '{folder["none.onnx"]}': the file does not exist", () => new OnnxClassifier(folder["none.onnx"]).Dispose());
        Said($"'{folder["text.onnx"]}' is no model that ONNX Runtime can run: ", () => new OnnxClassifier(folder["text.onnx"]).Dispose());
        Said($"'{file}' takes images of 32x32, not 31x32", () => classifier.Logits(new float[3 * 31 * 32], 1, new(31, 32)));
        Said($"'{file}' takes float32 [N, 3, H, W], not uint8 [N, H, W, 3]", () => classifier.Logits(new byte[3 * 32 * 32], 1, 32));
        var two = new ImageSet(new byte[32 * 32 * 3], 32, 32, 3, [0], ["a", "b"]);
        Said($"'{file}' tells 3 classes apart, but two has 2", () =>
            OnnxAccuracy.Measure(classifier, new("two", two, two, [0, 0, 0], [1, 1, 1])));
        var other = new ImageSet(new byte[32 * 32 * 3], 32, 32, 3, [0], ["dog", "cat", "Zürich"]);
        Said($"'{file}' has other classes than other: its first is 'cat', and there 'dog'", () =>
            OnnxAccuracy.Measure(classifier, new("other", other, other, [0, 0, 0], [1, 1, 1])));

        static void Said(string words, Action act) => Assert.StartsWith(words, Assert.Throws<UserException>(act).Message);
    }

    [Fact]
    public void Files_are_measured_side_by_side()
    {
        using var network = Network();
        var (any, four) =
            (Export(network, "any.onnx"), Export(network, "four.onnx", options => options with { DynamicBatch = false, Batch = 4 }));
        var measured = new OnnxBenchmark { Files = [any, four], Threads = [1, 2], Batches = [1, 4], Seconds = .01 }.Run();
        Assert.Equal([any, four], measured.Select(file => file.File));
        Assert.Equal([(1, 1), (1, 4), (2, 1), (2, 4)], measured[0].Timings.Select(timing => (timing.Threads, timing.Batch)));
        Assert.Equal([(1, 4), (2, 4)], measured[1].Timings.Select(timing => (timing.Threads, timing.Batch)));
        Assert.All(measured.SelectMany(file => file.Timings), timing =>
        {
            Assert.True(timing.Runs >= 20 && 0 < timing.MedianMs && timing.MedianMs <= timing.P95Ms, $"{timing}");
            // Half of the runs take the median or longer; how much longer the others take, the rest of the machine decides.
            Assert.True(0 < timing.ImagesPerSecond && timing.ImagesPerSecond * timing.MedianMs <= 2001 * timing.Batch, $"{timing}");
        });
        Assert.All(measured, file => Assert.Null(file.Accuracy));
    }
}
