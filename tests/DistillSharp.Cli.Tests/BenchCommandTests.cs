using System.Text.Json;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests;
using DistillSharp.Tests.Data;

namespace DistillSharp.Cli.Tests;

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
        File.WriteAllBytes(folder[$"{name}-images-idx3-ubyte"], SmallFiles.Idx(SmallFiles.Bytes(labels.Length * 28 * 28, 1), labels.Length, 28, 28));
        File.WriteAllBytes(folder[$"{name}-labels-idx1-ubyte"], SmallFiles.Idx(labels, labels.Length));
    }

    [Fact]
    public void A_table_compares_the_files_within_80_columns()
    {
        var session = new Session();
        Assert.Equal(0, session.Run(CommandList.All(), "bench", Export("resnet14"), Export("resnet8"), "--seconds", "0.01", "--threads", "1,2", "--batch", "1,8"));
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
        Assert.Equal(0, session.Run(CommandList.All(), "bench", Export("resnet8"), "--seconds", "0.01", "--data", "mnist", "--root", folder.Path, "--limit", "20", "--json"));
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
        Assert.Equal(code, session.Run(CommandList.All(), ["bench", .. arguments.Select(argument => argument == "FILE" ? file : argument)]));
        Assert.Contains(said, session.Error);
        Assert.Equal("", session.Out);
    }
}
