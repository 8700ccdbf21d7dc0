using System.Text.Json;
using DistillSharp.Experiments.Runs;
using DistillSharp.Interop;
using DistillSharp.Models;

namespace DistillSharp.Cli.Tests;

/// <summary>Teachers in ONNX files, as recipes name them.</summary>
public sealed class OnnxTeacherCommandTests : IDisposable
{
    readonly SampleRuns samples = new();
    readonly string teacher;

    public OnnxTeacherCommandTests()
    {
        teacher = samples.At("teacher.onnx");
        using var network = Networks.Create("resnet8", 100, seed: 1);
        network.ExportOnnx(teacher, new() { Batch = 1 });
    }

    public void Dispose() => samples.Dispose();

    (int Code, string Out, string Error) Train(string section, string method, params string[] arguments)
    {
        File.WriteAllText(samples.At("r.yaml"), $$"""
            data: { set: cifar100, root: '{{samples.Images(train: 20, test: 10)}}', batch: 10 }
            teacher: { {{section}} }
            student: { network: resnet14 }
            methods: [{{method}}]
            train: { epochs: 1, precision: fp32 }
            """);
        var session = new Session();
        string[] all = ["train", samples.At("r.yaml"), "--name", "followed", .. arguments, "--runs", samples.Root];
        return (session.Run(CommandList.All(), all), session.Out, session.Error);
    }

    [Fact]
    public void Its_inputs_and_outputs_are_listed()
    {
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), "weights", teacher));
        Assert.Equal(
            $"{teacher}: a graph of ONNX\ntakes  images  [1, 3, 32, 32]  float\ngives  logits  [1, 100]  float\n"
            + "As a teacher: teacher: { onnx: FILE, logits: OUTPUT, pooled: OUTPUT }, one of the two or both.\n",
            session.Out);
        session = new();
        Assert.Equal(0, session.Run(CommandList.All(), "weights", teacher, "--json"));
        var inputs = JsonDocument.Parse(session.Out).RootElement.GetProperty("inputs");
        Assert.Equal("images", inputs[0].GetProperty("name").GetString());
    }

    [Fact]
    public void A_student_follows_it_and_its_recipe_reads_back()
    {
        var (code, output, error) = Train($"onnx: '{teacher}', logits: logits", "kd");
        Assert.True(code == 0, error);
        Assert.Contains("the graph takes one image at a time, so it is run image by image", output + error);
        var run = RunReader.Load(Path.Combine(samples.Root, "followed"));
        Assert.Equal((RunState.Finished, "teacher"), (run.State, run.Manifest.Teacher));
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), "recipe", "show", Path.Combine(samples.Root, "followed", "recipe.yaml")));
        Assert.Contains("logits: logits", session.Out);
        Assert.DoesNotContain("torchscript", session.Out);
    }

    [Theory]
    [InlineData("onnx: teacher.onnx, network: resnet8", "kd", 2, "the teacher has an onnx file and another network; give one of them")]
    [InlineData(
        "network: resnet8, weights: w.pth, pooled: x", "kd", 2, "logits, pooled and prepare belong to an ONNX file; give teacher.onnx")]
    [InlineData("onnx: none.onnx", "kd", 1, "there is no file 'none.onnx' (the teacher's)")]
    [InlineData("onnx: TEACHER, prepare: none.onnx", "kd", 1, "there is no file 'none.onnx' (teacher.prepare)")]
    [InlineData("onnx: TEACHER, logits: logit", "kd", 1, "has no output 'logit' for logits; it gives logits; did you mean 'logits'?")]
    [InlineData("onnx: TEACHER, pooled: logits", "kd", 1, "kd needs the teacher's logits, and teacher shows pooled features alone")]
    public void What_cannot_be_is_told_before_anything_is_trained(string section, string method, int code, string said)
    {
        var (ended, _, error) = Train(section.Replace("TEACHER", $"'{teacher}'"), method);
        Assert.Contains(said, error);
        Assert.Equal(code, ended);
        Assert.False(Directory.Exists(Path.Combine(samples.Root, "followed")));
    }
}
