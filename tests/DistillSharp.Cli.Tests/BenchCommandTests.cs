using System.Text.Json;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests;
using DistillSharp.Tests.Data;

namespace DistillSharp.Cli.Tests;

/// <summary>What is done with ONNX files: int8, measuring, predicting.</summary>
public sealed class BenchCommandTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    string Export(string network)
    {
        using var made = Networks.Create(network, 10, seed: 1);
        made.ExportOnnx(folder[$"{network}.onnx"], new() { Normalization = new([.5f, .5f, .5f], [.2f, .2f, .2f]) });
        return folder[$"{network}.onnx"];
    }

    void Images(string name, byte[] labels)
    {
        File.WriteAllBytes(
            folder[$"{name}-images-idx3-ubyte"], SmallFiles.Idx(SmallFiles.Bytes(labels.Length * 28 * 28, 1), labels.Length, 28, 28));
        File.WriteAllBytes(folder[$"{name}-labels-idx1-ubyte"], SmallFiles.Idx(labels, labels.Length));
    }

    [Fact]
    public void A_table_compares_the_files_within_80_columns()
    {
        var session = new Session();
        Assert.Equal(
            0, session.Run(
                CommandList.All(), "bench", Export("resnet14"), Export("resnet8"), "--seconds", "0.01", "--threads", "1,2", "--batch",
                "1,8"));
        Assert.Matches(@"\n *resnet8\.onnx +0\.\d\d +[3-9]\d\.\d %", session.Out);
        Assert.Matches(@"\n *resnet8\.onnx +1 +1 +\d+\.\d\d +\d+\.\d\d +\d+ +\d+\.\d\dx *\n", session.Out);
        Assert.DoesNotMatch(@"\n *resnet8\.onnx +\d +8", session.Out);
        Assert.Contains("takes batches of another size only", session.Error);
        Assert.All(session.Out.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void Programs_read_speeds_and_accuracies()
    {
        Images("train", [.. Enumerable.Range(0, 10).Select(i => (byte)i)]);
        Images("t10k", [.. Enumerable.Range(0, 30).Select(i => (byte)(i % 10))]);
        var session = new Session();
        Assert.Equal(
            0, session.Run(
                CommandList.All(), "bench", Export("resnet8"), "--seconds", "0.01", "--data", "mnist", "--root", folder.Path, "--limit",
                "20", "--json"));
        var answer = JsonDocument.Parse(session.Out).RootElement;
        Assert.NotEqual("", answer.GetProperty("processor").GetProperty("instruction_set").GetString());
        var file = answer.GetProperty("files")[0];
        Assert.Equal(("resnet8", 20), (file.GetProperty("network").GetString(), file.GetProperty("images").GetInt32()));
        Assert.InRange(file.GetProperty("acc1").GetDouble(), 0, file.GetProperty("acc5").GetDouble());
        Assert.Equal(1, file.GetProperty("timings")[0].GetProperty("batch").GetInt32());
        Assert.InRange(file.GetProperty("timings")[0].GetProperty("median_ms").GetDouble(), 1e-3, 1e4);
    }

    [Theory]
    [InlineData(2, "--threads takes whole numbers of 1 or more separated by commas, not '1,x'", "FILE", "--threads", "1,x")]
    [InlineData(2, "there is no data set 'cifar'", "FILE", "--data", "cifar")]
    [InlineData(2, "seconds measure nothing", "FILE", "--seconds", "0")]
    [InlineData(1, "cannot read 'none.onnx': the file does not exist", "FILE", "none.onnx")]
    public void A_wrong_request_is_one_sentence(int code, string said, params string[] arguments)
    {
        var file = Export("resnet8");
        var session = new Session();
        Assert.Equal(
            code, session.Run(CommandList.All(), ["bench", .. arguments.Select(argument => argument == "FILE" ? file : argument)]));
        Assert.Contains(said, session.Error);
        Assert.Equal("", session.Out);
    }

    [Fact]
    public void A_network_is_exported_in_int8_and_predicts_by_its_file_alone()
    {
        Images("train", [.. Enumerable.Range(0, 20).Select(i => (byte)(i % 10))]);
        Images("t10k", [.. Enumerable.Range(0, 30).Select(i => (byte)(i % 10))]);
        using (var network = Networks.Create("resnet8", 10, seed: 1)) PyTorchFile.Write(folder["w.pth"], network.StoredState());
        string[] export =
            ["export", "--model", "resnet8", "--weights", folder["w.pth"], "--data", "mnist", "--root", folder.Path, "--onnx",
                folder["a.onnx"]];
        var session = new Session();
        Assert.Equal(
            0, session.Run(
                CommandList.All(), [.. export, "--int8", "--calibrate", "10", "--calibration", "min_max", "--with-preprocessing"]));
        Assert.Matches(@"^.*a\.onnx: [\d,]+ bytes, \d\d\.\d % of float32's [\d,]+\n"
            + @"Acc1 [\d.]+ % in float32, [\d.]+ % in int8, on 30 test images of mnist\n"
            + @"10 layers, calibrated on 10 training images \(min-max\)\n$", session.Out);

        File.WriteAllBytes(
            folder["one.png"],
            Convert.FromBase64String(
                "iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHABvqgf5gNwAKAAAAABJRU5ErkJggg=="));
        var predicted = new Session();
        Assert.Equal(0, predicted.Run(CommandList.All(), "predict", folder["a.onnx"], folder["one.png"], "--json"));
        var guesses = JsonDocument.Parse(predicted.Out).RootElement[0].GetProperty("guesses").EnumerateArray().ToList();
        Assert.Equal(5, guesses.Count);
        Assert.All(
            guesses, guess =>
                Assert.Contains(guess.GetProperty("class").GetString()!, Enumerable.Range(0, 10).Select(digit => $"{digit}")));

        foreach (var (said, arguments) in new (string, string[])[]
        {
            ("--calibrate is about int8; give --int8 with it", [.. export, "--calibrate", "10"]),
            ("--int8 writes ONNX; give --onnx FILE with it", [.. export[..^2], "--int8"]),
            ("--int8 writes ONNX only", [.. export, "--int8", "--pth", folder["b.pth"]]),
            ("resnet8 has no layer 'x' to keep in float32", [.. export, "--int8", "--float", "x"]),
        })
        {
            var refused = new Session();
            Assert.Equal(2, refused.Run(CommandList.All(), arguments));
            Assert.Contains(said, refused.Error);
        }
    }
}
