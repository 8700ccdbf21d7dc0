using DistillSharp.Data;
using DistillSharp.Interop;
using DistillSharp.Interop.Onnx;
using DistillSharp.Interop.Onnx.Messages;
using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Onnx.Teachers;
using DistillSharp.Tests.Methods;
using DistillSharp.Torch;
using DistillSharp.Training;
using Google.Protobuf;

namespace DistillSharp.Tests.Onnx;

/// <summary>Teachers in ONNX files: made from networks of the library, whose numbers they must give, and by hand.</summary>
public sealed class OnnxTeacherTests : IDisposable
{
    const int Classes = 10;
    const double Tolerance = 1e-4;

    readonly TemporaryFolder folder = new();
    readonly TensorScope scope = TensorScope.Open();
    readonly Classifier network = Networks.Create("resnet8", Classes, seed: 1);
    readonly List<string> said = [];

    public void Dispose()
    {
        scope.Dispose();
        network.Dispose();
        folder.Dispose();
    }

    /// <summary>resnet8 with its features before the classifier as a second output, <c>features</c>.</summary>
    string Export(OnnxOptions options)
    {
        var file = folder[$"teacher-{options.DynamicBatch}-{options.Batch}.onnx"];
        network.ExportOnnx(file, options);
        return Change(file, graph =>
        {
            var gemm = graph.Node.Single(node => node.OpType == "Gemm");
            graph.Node.Single(node => node.Output.Contains(gemm.Input[0])).Output[0] = "features";
            gemm.Input[0] = "features";
            graph.Output.Add(new ValueInfoProto { Name = "features", Type = graph.Output[0].Type.Clone() });
            graph.Output[1].Type.TensorType.Shape.Dim[1].DimValue = 64;
        });
    }

    static string Change(string file, Action<GraphProto> change)
    {
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(file));
        change(model.Graph);
        File.WriteAllBytes(file, model.ToByteArray());
        return file;
    }

    static Tensor Images(int count) => Make.Values(5, count, 3, 32, 32);

    [Fact]
    public void In_batches_it_gives_the_networks_logits_and_pooled_features()
    {
        AssertSame(Export(new() { DynamicBatch = true }), 5);
        Assert.Empty(said);
    }

    [Theory]
    [InlineData(1, "the graph takes one image at a time, so it is run image by image; one with an open batch would be quicker")]
    [InlineData(4, "the graph takes 4 images at a time, so it is run in such batches")]
    public void A_fixed_batch_gives_the_same_with_a_warning(int batch, string warning)
    {
        var file = Export(new() { Batch = batch });
        AssertSame(file, 6);
        Assert.Equal([$"{file}: {warning}"], said);
    }

    void AssertSame(string file, int count)
    {
        using var teacher = OnnxTeacher.Load(new(file, Classes, 32) { Logits = "logits", Pooled = "features" }, said.Add);
        using var off = Autograd.NoGrad();
        network.Train(false);
        var expected = network.Forward(Images(count), Features.Pooled);
        // Channels-last, as the trainer hands images over.
        var given = teacher.Forward(Images(count).Contiguous(MemoryFormat.ChannelsLast), Features.Pooled);
        Assert.InRange(Make.RelativeError(given.Logits, expected.Logits), 0, Tolerance);
        Assert.InRange(Make.RelativeError(given.Pooled!, expected.Pooled!), 0, Tolerance);
        Assert.True(teacher.ShowsLogits);
    }

    [Fact]
    public void The_one_output_of_so_many_classes_needs_no_name()
    {
        using var teacher = OnnxTeacher.Load(new(Export(new() { DynamicBatch = true }), Classes, 32));
        var output = teacher.Forward(Images(2), Features.Pooled);
        Assert.True(output.Logits.AllFinite());
        Assert.Null(output.Pooled);
    }

    [Fact]
    public void Pooled_features_alone_serve_fsecd_and_not_kd()
    {
        using var teacher = OnnxTeacher.Load(new(Export(new() { DynamicBatch = true }), Classes, 32) { Pooled = "features" });
        Assert.False(teacher.ShowsLogits);
        using var student = Networks.Create("resnet14", Classes, seed: 2);
        var start = student.Parameters()[0].ToArray<float>();
        using (var trainer = new Trainer(student, teacher, [new Fsecd()], Noise(), new TrainingOptions { Epochs = 1, BatchSize = 8 }))
            trainer.Run();
        Assert.NotEqual(start, student.Parameters()[0].ToArray<float>());
        Assert.All(student.Parameters(), parameter => Assert.True(parameter.AllFinite()));
        foreach (var (method, lacks) in new (DistillationMethod, string)[]
        {
            (new Kd(), "kd needs the teacher's logits, and teacher-True-1 shows pooled features alone"),
            (new Dkd(), "dkd needs the teacher's logits, and teacher-True-1 shows pooled features alone"),
            (new At(), "at needs the stages of the teacher, and teacher-True-1 has none"),
        })
        {
            var error = Assert.Throws<UserException>(() => new Trainer(student, teacher, [method], Noise(), new TrainingOptions()));
            Assert.StartsWith(lacks, error.Message);
        }
    }

    static Dataset Noise()
    {
        var pixels = new byte[16 * 32 * 32 * 3];
        new Random(1).NextBytes(pixels);
        int[] labels = [.. Enumerable.Range(0, 16).Select(i => i % Classes)];
        var set = new ImageSet(pixels, 32, 32, 3, labels, [.. Enumerable.Range(0, Classes).Select(c => $"class {c}")]);
        return new("noise", set, set, [.5f, .5f, .5f], [.25f, .25f, .25f]);
    }

    [Fact]
    public void What_cannot_teach_is_refused_with_what_would_be_right()
    {
        var file = Export(new() { DynamicBatch = true });
        Refused(new(folder["missing.onnx"], Classes, 32), "the file does not exist");
        File.WriteAllText(folder["text.onnx"], "no graph");
        Refused(new(folder["text.onnx"], Classes, 32), "is no model that ONNX Runtime can run");
        Refused(
            new(file, Classes, 32) { Pooled = "feature" },
            "has no output 'feature' for pooled; it gives logits, features; did you mean 'features'?");
        Refused(new(file, 7, 32), "it must be said what is used: logits or pooled or both, of logits [1, 10], features [1, 64]");
        Refused(new(file, 7, 32) { Logits = "logits" }, "the output logits is [1, 10], no logits of 7 classes: the network knows 10");
        var gray = Change(Export(new() { Batch = 2 }), graph => graph.Input[0].Type.TensorType.Shape.Dim[1].DimValue = 1);
        Refused(new(gray, Classes, 32), "");

        using var teacher = OnnxTeacher.Load(new(file, Classes, 32));
        var size = Assert.Throws<UserException>(() => teacher.Forward(Tensor.Zeros([1, 3, 64, 64])));
        Assert.Equal("teacher-True-1 takes images of 32x32 only; these are 64x64", size.Message);

        void Refused(TeacherFile given, string why)
        {
            var message = Assert.Throws<UserException>(() => OnnxTeacher.Load(given)).Message;
            Assert.Contains(given.Path, message);
            Assert.Contains(why, message);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void Images_are_prepared_by_another_graph_first()
    {
        var file = Export(new() { DynamicBatch = true });
        // images - 1
        var prepare = Change(Copy(file, "prepare.onnx"), graph =>
        {
            graph.Node.Clear();
            graph.Initializer.Clear();
            graph.Initializer.Add(new TensorProto { Name = "one", DataType = 1, RawData = ByteString.CopyFrom(BitConverter.GetBytes(1f)) });
            graph.Node.Add(new NodeProto { OpType = "Sub", Input = { "images", "one" }, Output = { "prepared" } });
            graph.Output.Clear();
            graph.Output.Add(new ValueInfoProto { Name = "prepared", Type = graph.Input[0].Type.Clone() });
        });
        using var teacher = OnnxTeacher.Load(new(file, Classes, 32) { Prepare = prepare });
        network.Train(false);
        var images = Images(3);
        Assert.InRange(Make.RelativeError(teacher.Forward(images).Logits, network.Forward(images - 1).Logits), 0, Tolerance);
    }

    [Fact]
    public void Channels_may_come_last()
    {
        var file = Change(Export(new() { DynamicBatch = true }), graph =>
        {
            var sizes = graph.Input[0].Type.TensorType.Shape.Dim;
            (sizes[1], sizes[3]) = (sizes[3].Clone(), sizes[1].Clone());
            foreach (var node in graph.Node)
                for (var i = 0; i < node.Input.Count; i++)
                    if (node.Input[i] == "images") node.Input[i] = "channels_first";
            graph.Node.Insert(0, new NodeProto
            {
                OpType = "Transpose", Input = { "images" }, Output = { "channels_first" },
                Attribute = { OnnxGraph.Ints("perm", [0, 3, 1, 2]) },
            });
        });
        AssertSame(file, 3);
    }

    static string Copy(string file, string name)
    {
        var copy = Path.Combine(Path.GetDirectoryName(file)!, name);
        File.Copy(file, copy);
        return copy;
    }
}
