using DistillSharp.Data;
using DistillSharp.Extending;
using DistillSharp.Interop;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Onnx.Quantization;
using DistillSharp.Tests.Data;
using DistillSharp.Tests.Training;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;
using DistillSharp.Training;
using Microsoft.ML.OnnxRuntime;
using Recipe = DistillSharp.Experiments.Recipes.Recipe;

namespace DistillSharp.Tests.Onnx;

/// <summary>Students that are trained rounded as their export is.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public sealed class Int8TrainingTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static TrainingOptions Options(int epochs = 2) => TinyTraining.Options() with { Quantization = new Int8Training { Epochs = epochs } };

    // Residual sums, depthwise convolutions with clipped activations, concatenations with shuffles, two linear layers.
    [Theory]
    [InlineData("resnet8")]
    [InlineData("mobilenet_v2_half")]
    [InlineData("shufflenet_v1")]
    [InlineData("vgg8")]
    public void The_export_computes_what_was_trained(string name)
    {
        using var scope = TensorScope.Open();
        using var student = Networks.Create(name, TinyTraining.Classes, seed: 1);
        using var teacher = Networks.Create("resnet14", TinyTraining.Classes, seed: 2);
        var data = TinyTraining.Data;
        using var trainer = new Trainer(student, teacher, [new Fsecd()], data, Options() with { Epochs = 3 });
        var result = trainer.Run();
        Assert.NotEmpty(student.TrainedRanges!);

        var images = Tensor.From(Normalized(data.Test)).Reshape(10, 3, 32, 32);
        using (var simulation = new Int8Training().For(student, Features.Logits, 32))
        {
            student.Train(false);
            using var off = Autograd.NoGrad();
            var plain = student.Forward(images).Logits.ToArray<float>();
            simulation.IsActive = true;
            var rounded = student.Forward(images).Logits.ToArray<float>();
            simulation.IsActive = false;

            var report = student.ExportInt8(folder["a.onnx"], data, new() { DynamicBatch = true }, new() { LargestLoss = 100 });
            Assert.Equal("trained", report.Calibration);
            Assert.InRange(report.Int8.Correct1, result.Accuracy!.Value.Correct1 - 1, result.Accuracy!.Value.Correct1 + 1);
            // A value at the edge of two bytes may fall to either side, and moves others in every layer behind it: in networks as deep as
            // these the two differ by about a third of what rounding changes at all.
            var written = Logits(folder["a.onnx"], Normalized(data.Test), optimized: true);
            Assert.True(
                Distance(written, rounded) < Distance(written, plain),
                $"{Distance(written, rounded)} from what was trained, {Distance(written, plain)} from float32");
        }
    }

    // With nothing behind it that an edge could move.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_shallow_network_is_rounded_value_by_value_as_its_file_is(bool optimized)
    {
        using var scope = TensorScope.Open();
        using var student = new Shallow();
        var data = TinyTraining.Data;
        using (var trainer = new Trainer(student, null, [], data, Options() with { Epochs = 3 })) trainer.Run();
        student.ExportInt8(folder["a.onnx"], data, new() { DynamicBatch = true }, new() { LargestLoss = 100 });
        var written = Logits(folder["a.onnx"], Normalized(data.Test), optimized);

        using var simulation = new Int8Training().For(student, Features.Logits, 32);
        student.Train(false);
        using var off = Autograd.NoGrad();
        var images = Tensor.From(Normalized(data.Test)).Reshape(10, 3, 32, 32);
        var plain = student.Forward(images).Logits.ToArray<float>();
        simulation.IsActive = true;
        var rounded = student.Forward(images).Logits.ToArray<float>();
        Assert.InRange(Same(written, rounded), 9, 10);
        Assert.InRange(Same(written, plain), 0, 3);

        int Same(float[] one, float[] other) => one.Chunk(TinyTraining.Classes).Zip(other.Chunk(TinyTraining.Classes))
            .Count(pair => pair.First.Zip(pair.Second, (a, b) => Math.Abs(a - b)).Max() < 1e-4);
    }

    sealed class Shallow : Classifier
    {
        readonly Conv2d conv;
        readonly BatchNorm2d norm;
        readonly Linear fc;

        public Shallow() : base("shallow", TinyTraining.Classes, new InputRule(32))
        {
            conv = Child("conv", new Conv2d(3, 8, 3, stride: 2, padding: 1));
            norm = Child("norm", new BatchNorm2d(8));
            fc = Child("fc", new Linear(8, Classes));
        }

        protected override Tensor Compute(Tensor images, FeatureTap tap) =>
            fc.Forward(Functional.GlobalAvgPool(norm.ForwardRelu(conv, images)));
    }

    static float[] Logits(string file, float[] images, bool optimized)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = optimized ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
        };
        using var session = new InferenceSession(file, options);
        using var input = OrtValue.CreateTensorValueFromMemory(images, [images.Length / (3 * 32 * 32), 3, 32, 32]);
        using var run = new RunOptions();
        using var results = session.Run(run, ["images"], [input], ["logits"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    static double Distance(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Average());

    static float[] Normalized(ImageSet images)
    {
        foreach (var batch in new BatchLoader(images, TinyTraining.Data.Normalization, BatchOptions.Evaluation(images.Count)).Epoch())
            return batch.Images.ToArray<float>();
        throw new InvalidOperationException("there are no images");
    }

    [Fact]
    public void A_run_stopped_and_resumed_ends_as_one_never_stopped()
    {
        SortedDictionary<string, string> Train(string name, params long[] stops)
        {
            var checkpoints = new CheckpointStore(folder[name]);
            foreach (var stop in stops.Append(long.MaxValue))
            {
                using var run = new TinyTraining(Options(), new Fsecd());
                run.Run(checkpoints, resume: true, stopAfter: stop);
            }
            return TinyTraining.Latest(checkpoints);
        }
        var undisturbed = Train("undisturbed");
        Assert.Contains("\"Ranges\":[{\"Call\":", undisturbed["progress"]);
        // Before the first rounded epoch, at its end, and in the second.
        Assert.Equal(undisturbed, Train("stopped", 2, 6, 8));
    }

    [Fact]
    public void Only_the_last_epochs_are_rounded_and_their_norms_stand_still()
    {
        using var run = new TinyTraining(Options(epochs: 1), new Kd());
        string Statistics() => Convert.ToHexString(
            run.Student.StoredState().Single(tensor => tensor.Name == "bn1.running_mean").Data.Span);
        var (statistics, weights, ranges) = (new List<string>(), new List<string>(), new List<int?>());
        run.At = step =>
        {
            if (step == 0) return;
            statistics.Add(Statistics());
            weights.Add(Convert.ToHexString(run.Student.StoredState().Single(tensor => tensor.Name == "bn1.weight").Data.Span));
            ranges.Add(run.Student.TrainedRanges?.Count);
        };
        run.Run();
        Assert.Equal((6, statistics[5]), (statistics.Distinct().Count(), statistics[8]));
        Assert.Equal(9, weights.Distinct().Count());
        Assert.All(ranges[..6], count => Assert.Null(count));
        Assert.All(ranges[6..], count => Assert.InRange(count!.Value, 10, 40));
        Assert.Single(run.Said, line => line.Contains("trained and measured in int8", StringComparison.Ordinal));
        // Afterwards it is a network like any other.
        using var scope = TensorScope.Open();
        var images = Tensor.Zeros([1, 3, 32, 32]);
        Assert.Equal(run.Student.Forward(images).Logits.ToArray<float>(), run.Student.Forward(images).Logits.ToArray<float>());
    }

    [Fact]
    public void The_ranges_stay_with_the_file_of_the_student()
    {
        using var run = new TinyTraining(Options(epochs: 1));
        run.Run();
        StudentFile.Write(folder["student.safetensors"], run.Student, TinyTraining.Data, acc1: null);
        using var loaded = StudentFile.Load(folder["student.safetensors"]).Network;
        Assert.Equal(run.Student.TrainedRanges, loaded.TrainedRanges);
        var (data, int8) = (TinyTraining.Data, new Int8Options { LargestLoss = 100 });
        Assert.Equal("trained", loaded.ExportInt8(folder["a.onnx"], data, new() { WithPreprocessing = true }, int8).Calibration);
        int8 = int8 with { Calibration = Calibration.MinMax };
        Assert.Equal("min-max", loaded.ExportInt8(folder["b.onnx"], data, int8: int8).Calibration);
    }

    [Fact]
    public void What_does_not_go_together_is_said()
    {
        using var teacher = Networks.Create("resnet14", TinyTraining.Classes, seed: 2);
        using var student = Networks.Create("resnet8", TinyTraining.Classes, seed: 1);
        Said("4 of 3 epochs cannot be trained in int8; give 1 to 3", Options(epochs: 4));
        Said("in int8, and averaged; an average has no ranges", Options() with { AverageDecay = .9 });
        Said("is more than the student, which alone can be trained in int8", Options(), new SimKd());

        void Said(string words, TrainingOptions options, params DistillationMethod[] methods) => Assert.Contains(
            words, Assert.ThrowsAny<Exception>(() => new Trainer(student, teacher, methods, TinyTraining.Data, options).Dispose()).Message);
    }

    [Fact]
    public void A_recipe_says_it_in_a_word()
    {
        const string text = "data: { set: cifar100 }\nstudent: { network: resnet8 }\ntrain: { epochs: 50, quantize: int8 }\n";
        var toolkit = new Toolkit();
        Int8Training.Register(toolkit);
        var recipe = Recipe.Parse(text, "r.yaml", toolkit);
        Assert.Equal(5, Assert.IsType<Int8Training>(recipe.ToTrainingOptions().Quantization).Epochs);
        Assert.Contains("quantize: int8", recipe.Resolve());
        Assert.Equal(2, recipe.With("train.quantize_epochs=2").ToTrainingOptions().Quantization!.Epochs);
        var plain = recipe.With("train.quantize=null");
        Assert.Null(plain.ToTrainingOptions().Quantization);
        Assert.DoesNotContain("quantize", plain.Resolve());
        Assert.NotEqual(plain.Digest, recipe.Digest);
        Assert.Contains(
            "needs the package DistillSharp.Onnx and Int8Training.Register(toolkit)",
            Assert.Throws<UsageException>(() => Recipe.Parse(text).ToTrainingOptions()).Message);
        foreach (var (change, said) in new[]
        {
            ("train.quantize=int4", "train.quantize is 'int4'; it must be int8"),
            ("train.quantize_epochs=51", "train.quantize_epochs is 51, but train.epochs 50"),
            ("train.ema=0.9", "train.quantize finds ranges for the student, and train.ema averages it"),
        })
            Assert.Contains(said, Assert.Throws<UsageException>(() => recipe.With(change)).Message);
        Assert.Contains("but not train.quantize", Assert.Throws<UsageException>(() => plain.With("train.quantize_epochs=2")).Message);
    }
}
