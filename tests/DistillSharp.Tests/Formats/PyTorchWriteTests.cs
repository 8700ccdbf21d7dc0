using System.Diagnostics;
using DistillSharp.Formats;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.Tensors;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Formats;

public class PyTorchWriteTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static readonly StoredTensor[] every =
    [
        .. Enum.GetValues<DType>()
            .Select((type, index) => new StoredTensor($"layer.{type}", type, [2, index + 1], Bytes(type, 2 * (index + 1)))),
        new("scalar", DType.Int64, [], BitConverter.GetBytes(1L << 40)),
        new("empty", DType.Float32, [0, 5], default),
        new("Zürich 日本", DType.Float32, [1], BitConverter.GetBytes(2.5f)),
    ];

    static byte[] Bytes(DType type, int count)
    {
        var bytes = new byte[count * type.Size()];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(type == DType.Bool ? i % 2 : i % 60);
        return bytes;
    }

    [Fact]
    public void What_is_written_is_read_in_the_same_order()
    {
        PyTorchFile.Write(folder["w.pth"], every);
        var read = WeightsFile.Read(folder["w.pth"]);
        Assert.Equal(every.Length, read.Count);
        Assert.All(every.Zip(read), pair =>
        {
            Assert.Equal((pair.First.Name, pair.First.Type), (pair.Second.Name, pair.Second.Type));
            Assert.Equal(pair.First.Shape, pair.Second.Shape);
            Assert.Equal(pair.First.Data.ToArray(), pair.Second.Data.ToArray());
        });
    }

    [Fact]
    public void The_same_tensors_give_the_same_bytes()
    {
        PyTorchFile.Write(folder["a.pth"], every);
        PyTorchFile.Write(folder["b.pth"], every);
        Assert.Equal(File.ReadAllBytes(folder["a.pth"]), File.ReadAllBytes(folder["b.pth"]));
    }

    [Fact]
    public void A_mistake_of_the_caller_is_refused_before_anything_is_written()
    {
        Assert.Throws<ArgumentException>(() => PyTorchFile.Write(folder["w"], [every[0], every[0]]));
        Assert.Throws<ArgumentException>(() => PyTorchFile.Write(folder["w"], [every[0] with { Shape = [99] }]));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [PythonTorchFact]
    public void PyTorch_loads_what_is_written()
    {
        PyTorchFile.Write(folder["w.pth"], every);
        var printed = PythonTorch.Run("""
            import sys, torch, hashlib
            loaded = torch.load(sys.argv[1])
            try: weights_only = torch.load(sys.argv[1], weights_only=True)
            except TypeError: weights_only = loaded
            assert list(weights_only) == list(loaded) and type(loaded).__name__ == "OrderedDict"
            for name, tensor in loaded.items():
                data = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
                print(name, tensor.dtype, list(tensor.shape), tensor.is_contiguous(), hashlib.md5(data).hexdigest())
            """, folder["w.pth"]);
        Assert.Equal(every.Select(tensor =>
            $"{tensor.Name} torch.{tensor.Type.ToString().ToLowerInvariant()} [{string.Join(", ", tensor.Shape)}] True "
            + $"{Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(tensor.Data.Span))}"),
            printed.TrimEnd().Split('\n'));
    }

    [PythonTorchFact]
    public void What_PyTorch_saves_again_is_read_back_the_same()
    {
        PyTorchFile.Write(folder["w.pth"], every);
        PythonTorch.Run("""
            import sys, torch
            torch.save({"model": torch.load(sys.argv[1])}, sys.argv[2], _use_new_zipfile_serialization=False)
            """, folder["w.pth"], folder["again.pth"]);
        var read = WeightsFile.Read(folder["again.pth"]);
        Assert.Equal(every.Select(tensor => tensor.Name), read.Select(tensor => tensor.Name));
        Assert.All(every.Zip(read), pair => Assert.Equal(pair.First.Data.ToArray(), pair.Second.Data.ToArray()));
    }
}

/// <summary>A fact that runs only where the system's Python has PyTorch.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class PythonTorchFactAttribute : FactAttribute
{
    public PythonTorchFactAttribute()
    {
        if (!PythonTorch.Exists) Skip = "the system's Python has no PyTorch (Debian: python3-torch)";
    }
}

/// <summary>A fact that needs the shared material as well.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class SharedPythonTorchFactAttribute : SharedFactAttribute
{
    public SharedPythonTorchFactAttribute() => Skip ??= new PythonTorchFactAttribute().Skip;
}

/// <summary>The system's Python with its PyTorch, as the judge of what we write.</summary>
static class PythonTorch
{
    const string Python = "/usr/bin/python3";

    static readonly Lazy<bool> exists = new(() => File.Exists(Python) && Start("import torch").ExitCode == 0);

    public static bool Exists => exists.Value;

    public static string Run(string program, params string[] arguments)
    {
        var (exitCode, output, error) = Start(program, arguments);
        Assert.True(exitCode == 0, error);
        return output;
    }

    static (int ExitCode, string Output, string Error) Start(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PYTHONIOENCODING"] = "utf-8" },
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
