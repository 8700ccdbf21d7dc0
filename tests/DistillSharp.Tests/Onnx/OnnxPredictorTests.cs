using DistillSharp.Data;
using DistillSharp.Evaluation;
using DistillSharp.Extending;
using DistillSharp.Interop;
using DistillSharp.Interop.Onnx;
using DistillSharp.Models;
using DistillSharp.Onnx;
using DistillSharp.Onnx.Measurement;
using DistillSharp.Onnx.Prediction;
using DistillSharp.Torch;
using DistillSharp.Verification;

namespace DistillSharp.Tests.Onnx;

public sealed class OnnxPredictorTests : IDisposable
{
    static readonly DatasetDescription photographs = Toolkit.BuiltIn.Datasets["image-folder"];

    readonly TemporaryFolder folder = new();
    readonly TensorScope scope = TensorScope.Open();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    static LoadedNetwork Network(int side, IReadOnlyList<string> names)
    {
        var network = Networks.Create("mobilenet_v1", names.Count, seed: 1);
        new ReferenceValues("predict").Fill(network);
        network.Train(false);
        return new(network) { Image = side, ClassNames = names, Set = photographs, Normalization = new(photographs.Mean, photographs.Std) };
    }

    string Export(LoadedNetwork loaded, string name, OnnxOptions options)
    {
        loaded.Network.ExportOnnx(folder[name], new NetworkExport { Source = new(), Options = options }.Filled(loaded));
        return folder[name];
    }

    // Photographs from 56 to over 2,000 pixels a side, some of them gray, upright and lying.
    [SharedTheory]
    [InlineData(false, 1)]
    [InlineData(false, 3)]
    [InlineData(true, 1)]
    public void The_file_alone_sees_what_the_network_sees(bool preprocessing, int batch)
    {
        var loaded = Network(96, [.. Enumerable.Range(0, 10).Select(i => $"class {i}")]);
        string[] files = [.. ImageFiles.In(SharedFiles.Path("data/jpeg")).Take(20)];
        using var predictor = new Predictor(loaded);
        using var onnx = new OnnxPredictor(Export(loaded, "a.onnx", new() { WithPreprocessing = preprocessing, Batch = batch }));
        foreach (var (expected, given) in predictor.Predict(files, top: 10).Zip(onnx.Predict(files, top: 10)))
        {
            Assert.Equal((expected.File, 10), (given.File, given.Guesses.Count));
            var probabilities = expected.Guesses.ToDictionary(guess => guess.Class, guess => guess.Probability);
            Assert.All(given.Guesses, guess => Assert.Equal(probabilities[guess.Class], guess.Probability, 1e-3));
        }
    }

    // A graph that does nothing but prepare images, against the library's own preparation, value for value.
    [Theory]
    [InlineData(32, 32, 32, 32)]
    [InlineData(100, 71, 64, 64)]
    [InlineData(71, 100, 64, 64)]
    [InlineData(333, 500, 256, 224)]
    [InlineData(500, 375, 256, 224)]
    [InlineData(45, 50, 73, 64)]
    [InlineData(300, 20, 36, 32)]
    public void The_graph_prepares_images_as_the_library_does(int height, int width, int shorter, int side)
    {
        var pixels = new byte[height * width * 3];
        new Random(height + width).NextBytes(pixels);
        var normalization = new Normalization(photographs.Mean, photographs.Std);
        var expected = new float[side * side * 3];
        normalization.Apply(ImageScaling.FitCenter(new(pixels, height, width, 3), shorter, side, side), expected);

        using var nothing = new PassThrough(side);
        nothing.ExportOnnx(
            folder["a.onnx"], new() { WithPreprocessing = true, Normalization = normalization, ShorterSide = shorter, ImageSize = side });
        using var classifier = new OnnxClassifier(folder["a.onnx"]);
        Assert.Null(classifier.Size);
        Assert.Equal((shorter, (Size2?)side), (classifier.Card.ShorterSide, classifier.Card.ImageSize));
        var given = classifier.Logits(pixels, 1, new(height, width));
        var (largest, different) = (0.0, 0);
        for (var i = 0; i < side * side; i++)
            for (var c = 0; c < 3; c++)
            {
                // In steps of a byte.
                var steps = Math.Abs(expected[3 * i + c] - given[c * side * side + i]) * photographs.Std[c] * 255;
                largest = Math.Max(largest, steps);
                if (steps > .01) different++;
            }
        // Noise is the worst case: both compute in whole numbers, from weights that may differ in their last bits.
        var said = $"{different} of {3 * side * side} values differ, by up to {largest} of 255";
        Assert.True(largest < 2.01 && different <= .03 * 3 * side * side, said);
    }

    sealed class PassThrough(int side) : Classifier("pass-through", 3 * side * side, new InputRule(side))
    {
        protected override Tensor Compute(Tensor images, FeatureTap tap) => images.Reshape(images.Size(0), -1);
    }

    [SharedFact]
    public void Accuracy_on_photographs_is_the_same_with_and_without_preprocessing_in_the_graph()
    {
        var data = Datasets.ImageFolder(SharedFiles.Path("data/imagenette"), side: 64).Limit(test: 60);
        using var loaded = Network(64, data.ClassNames);
        var expected = Accuracy.Measure(loaded.Network, data.Test, data.Normalization);
        foreach (var preprocessing in new[] { false, true })
        {
            using var classifier =
                new OnnxClassifier(Export(loaded, "a.onnx", new() { WithPreprocessing = preprocessing, DynamicBatch = true }));
            Assert.Equal(expected, OnnxAccuracy.Measure(classifier, data));
        }
    }

    [Fact]
    public void A_file_that_says_too_little_is_refused()
    {
        using var network = Networks.Create("resnet8", 3, seed: 1);
        network.ExportOnnx(folder["a.onnx"]);
        Assert.Contains(
            "does not say how its images are normalized", Assert.Throws<UserException>(() => new OnnxPredictor(folder["a.onnx"])).Message);
        var error =
            Assert.Throws<UsageException>(
                () => network.ExportOnnx(
                    folder["b.onnx"],
                    new() { Opset = 17, WithPreprocessing = true, Normalization = new(photographs.Mean, photographs.Std) }));
        Assert.Contains("preprocessing in the graph needs 18", error.Message);
    }
}
