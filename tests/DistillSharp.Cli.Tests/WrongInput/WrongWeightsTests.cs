using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Cli.Tests.WrongInput;

public class WrongWeightsTests : WrongInputTests
{
    string Weights => Folder["weights"];

    /// <summary>Wherever weights are taken, these are refused with the same words.</summary>
    void WeightsRefused(params string[] said)
    {
        Write(teacher: $"teacher: {{ network: resnet8, weights: '{Weights}' }}\nmethods: [ {{ name: kd }} ]");
        TrainRefused(1, [Weights, .. said]);
        Refused(1, [Weights, .. said], "export", "--model", "resnet8", "--weights", Weights, "--onnx", Folder["x.onnx"], "--pth",
            Folder["x.pth"]);
        Refused(1, [Weights, .. said], "eval", "--model", "resnet8", "--weights", Weights, "--data", "fashion-mnist", "--root",
            Folder["data"]);
    }

    static IReadOnlyList<StoredTensor> State(string network, Action<Classifier>? change = null)
    {
        using var made = Networks.Create(network, 10, seed: 1);
        change?.Invoke(made);
        return made.StoredState();
    }

    static byte[] Zip(CompressionLevel level, params (string Name, byte[] Content)[] files)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in files)
                using (var entry = zip.CreateEntry(name, level).Open()) entry.Write(content);
        return stream.ToArray();
    }

    [Fact]
    public void Of_another_network()
    {
        SafeTensorsFile.Write(Weights, State("resnet14"));
        WeightsRefused("these weights do not fit resnet8 with 10 classes:", "unexpected: layer1.1.conv1.weight [16, 16, 3, 3]");
    }

    [Fact]
    public void A_truncated_zip()
    {
        PyTorchFile.Write(Weights, State("resnet8"));
        using (var file = File.OpenWrite(Weights)) file.SetLength(file.Length / 2);
        WeightsRefused("the zip archive is damaged or cut short");
    }

    [Theory]
    [InlineData("cposix\nsystem\n(S'touch TARGET'\ntR.", "posix.system")]
    [InlineData("c__builtin__\neval\n(S'open(\"TARGET\", \"w\")'\ntR.", "__builtin__.eval")]
    public void A_pickle_with_a_malicious_global(string pickle, string name)
    {
        pickle = pickle.Replace("TARGET", Folder["pwned"], StringComparison.Ordinal);
        File.WriteAllBytes(
            Weights, Zip(
                CompressionLevel.NoCompression, ("archive/data.pkl", Encoding.Latin1.GetBytes(pickle)),
                ("archive/version", "3\n"u8.ToArray())));
        WeightsRefused($"it holds {name}, which is not known here and was not run");
        Assert.False(File.Exists(Folder["pwned"]));
    }

    [Fact]
    public void A_zip_bomb()
    {
        File.WriteAllBytes(Weights, Zip(CompressionLevel.Fastest, ("archive/data.pkl", new byte[100_000_000])));
        var before = GC.GetTotalAllocatedBytes();
        WeightsRefused("more than 10 times the memory of the file");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 90_000_000);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(50_000_000_000)]
    [InlineData(-1)]
    public void An_absurd_header_length_in_safetensors(long length)
    {
        var file = new byte[10];
        BinaryPrimitives.WriteInt64LittleEndian(file, length);
        "{}"u8.CopyTo(file.AsSpan(8));
        File.WriteAllBytes(Weights, file);
        WeightsRefused($"its header should have {(ulong)length} bytes, but only 2 follow");
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Weights_that_are_no_numbers(double value)
    {
        SafeTensorsFile.Write(Weights, State("resnet8", network =>
        {
            using var off = Autograd.NoGrad();
            network.State().First(entry => entry.Name == "fc.bias").Tensor.Fill(value);
        }));
        WeightsRefused("not finite: fc.bias holds NaN or infinite values");
    }

    [Fact]
    public void Nothing_or_something_else()
    {
        File.WriteAllBytes(Weights, []);
        WeightsRefused("is empty");
        File.WriteAllText(Weights, "<!DOCTYPE html>");
        WeightsRefused("web page");
    }
}
