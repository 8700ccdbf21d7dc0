using System.Diagnostics;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Models;
using DistillSharp.Tests.Formats;
using DistillSharp.Torch;
using DistillSharp.Verification;

namespace DistillSharp.Tests.Interop;

public sealed class PyTorchExportTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [PythonTorchFact]
    public void PyTorch_loads_a_network_strictly_by_the_public_names_and_computes_the_same()
    {
        using var scope = TensorScope.Open();
        using var network = Networks.Create("resnet14", 10, seed: 1);
        var values = new ReferenceValues("pytorch");
        values.Fill(network);
        network.Train(false);
        PyTorchFile.Write(folder["w.pth"], network.StoredState());
        var images = values.Uniform("images", -1.7, 1.7, 4, 3, 32, 32);
        File.WriteAllBytes(folder["images"], images.Bytes());
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3",
            [Path.Combine(SourceTree.Root, "tests", "pytorch", "cifar_resnet.py"), "14", "10", folder["w.pth"], folder["images"],
                folder["logits"]])
        { RedirectStandardError = true })!;
        var error = python.StandardError.ReadToEnd();
        python.WaitForExit();
        Assert.True(python.ExitCode == 0, error);
        using var off = Autograd.NoGrad();
        var logits = new float[40];
        Buffer.BlockCopy(File.ReadAllBytes(folder["logits"]), 0, logits, 0, 160);
        Assert.True(OnnxRuntime.RelativeError(logits, network.Forward(images).Logits.ToArray<float>()) < 1e-5);
    }
}
