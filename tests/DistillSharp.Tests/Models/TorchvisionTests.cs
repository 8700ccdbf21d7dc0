using System.Diagnostics;
using System.Text.Json;
using DistillSharp.Formats;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Models;
using DistillSharp.Tests.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Models;

/// <summary>
/// The networks that torchvision has, against it: the same state by names, shapes and order, and on the same weights and images the same
/// logits, pooled features and stages. The weights are made by a seed, and written by PyTorch (tests/pytorch/torchvision_networks.py).
/// </summary>
public sealed class TorchvisionTests(TorchvisionNetworks torchvision) : IClassFixture<TorchvisionNetworks>
{
    const int Classes = 10;
    const double Tolerance = 1e-4;

    static readonly string[] networks =
    [
        "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_b0_cifar", "mobilenet_v2", "mobilenet_v3_large",
        "mobilenet_v3_large_cifar", "mobilenet_v3_small", "mobilenet_v3_small_cifar", "resnet101", "resnet152", "resnet18", "resnet34",
        "resnet50", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn", "vit_b_16", "wide_resnet101_2", "wide_resnet50_2",
    ];

    public static TheoryData<string> Networks => [.. networks];

    // With timm's names; the last two are here alone, torchvision has none of them.
    public static TheoryData<string> Renamed =>
    [
        "timm:convnext_tiny", "timm:efficientnet_b0", "timm:mobilenet_v2", "timm:mobilenet_v3_large", "timm:mobilenet_v3_small",
        "timm:vgg11_bn", "timm:vit_b_16", "convnext_atto", "convnext_atto_cifar",
    ];

    [TorchvisionTheory]
    [MemberData(nameof(Networks))]
    public void The_state_is_torchvisions_in_order_and_so_is_the_number_of_parameters(string name)
    {
        using var unset = Initialize.Skip();
        using var network = DistillSharp.Models.Networks.Create(name, 1000);
        var said = torchvision.Ask("state", name, 1000);
        Assert.Equal(said.GetProperty("parameters").GetInt64(), network.ParameterCount);
        Assert.Equal(
            said.GetProperty("state").EnumerateArray().Select(entry => $"{entry[0]} {entry[1].GetRawText().Replace(" ", "")}"),
            network.State().Select(entry => $"{entry.Name} [{string.Join(",", entry.Tensor.Shape)}]"));
    }

    [TorchvisionTheory]
    [MemberData(nameof(Networks))]
    public void Logits_pooled_features_and_stages_are_torchvisions(string name)
    {
        Assert.Empty(Compare(name, name).Lines);
    }

    [TorchvisionTheory]
    [MemberData(nameof(Renamed))]
    public void Weights_under_timms_names_are_the_same_network(string name)
    {
        var lines = Compare(name, name.Split(':')[^1]).Lines;
        Assert.Equal("the names are those of timm", lines[0]);
        Assert.Equal(name.Contains("mobilenet_v3") ? 2 : 1, lines.Count);
        if (lines.Count == 1) return;
        Assert.Equal("there batch norms add 1E-05 to the variance, here 0.001: the variances are shifted by the difference", lines[1]);
    }

    [TorchvisionFact]
    public void Older_files_of_torchvision_load_and_a_files_network_is_found()
    {
        using var scope = TensorScope.Open();
        torchvision.Ask("run", "densenet121", Classes);
        var older = torchvision.File("older.pth");
        var state = WeightsFile.Read(torchvision.File("densenet121.pth"));
        PyTorchFile.Write(older, [.. state.Select(tensor => tensor with { Name = Older(tensor.Name) })]);
        using var network = DistillSharp.Models.Networks.Create("densenet121", Classes);
        network.LoadWeights(older, out var report);
        Assert.Equal(["the names are those of an older torchvision"], report.Lines);
        Assert.Equal([new("densenet121", Classes, "", "")], Matches(older));

        torchvision.Ask("run", "timm:mobilenet_v3_small", Classes);
        Assert.Equal(
            [new("mobilenet_v3_small", Classes, "", ""), new("mobilenet_v3_small_cifar", Classes, "", "")],
            Matches(torchvision.File("timm-mobilenet_v3_small.pth")));
        torchvision.Forget();

        static IReadOnlyList<NetworkMatch> Matches(string file) =>
            NetworkMatch.In(DistillSharp.Extending.Toolkit.BuiltIn.Networks, WeightsFile.Describe(file));

        static string Older(string name) => !name.Contains("denselayer") ? name : name
            .Replace(".norm1.", ".norm.1.").Replace(".norm2.", ".norm.2.").Replace(".conv1.", ".conv.1.").Replace(".conv2.", ".conv.2.");
    }

    WeightsReport Compare(string theirs, string ours)
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        using var unset = Initialize.Skip();
        var shapes = torchvision.Ask("run", theirs, Classes);
        var file = theirs.Replace(':', '-');
        using var network = DistillSharp.Models.Networks.Create(ours, Classes);
        network.LoadWeights(torchvision.File($"{file}.pth"), out var report);
        network.Train(false);
        var images = Read("images");
        var output = network.Forward(images, Features.Pooled | Features.Stages | Features.PreActivations);

        AssertClose("logits", output.Logits);
        AssertClose("pooled", output.Pooled!);
        Assert.Equal(shapes.EnumerateObject().Count(part => part.Name.StartsWith("stage")), output.Stages!.Count);
        for (var i = 0; i < output.Stages.Count; i++) AssertClose($"stage{i}", output.Stages[i]);
        Assert.True(output.PreActivations!.Count == 0 || output.PreActivations.Count == output.Stages.Count);
        for (var i = 0; i < output.PreActivations.Count; i++) AssertClose($"stage{i}", Functional.Relu(output.PreActivations[i]));
        // As the trainer computes, in channels-last order and with the norms folded.
        using (network.FoldNorms(new Size2(images.Size(2), images.Size(3))))
            AssertClose("logits", network.Forward(images.Contiguous(MemoryFormat.ChannelsLast)).Logits);
        torchvision.Forget();
        return report;

        Tensor Read(string part)
        {
            var bytes = System.IO.File.ReadAllBytes(torchvision.File($"{file}.{part}"));
            var values = new float[bytes.Length / sizeof(float)];
            Buffer.BlockCopy(bytes, 0, values, 0, bytes.Length);
            return Tensor.From(values, [.. shapes.GetProperty(part).EnumerateArray().Select(size => size.GetInt64())]);
        }

        void AssertClose(string part, Tensor given)
        {
            var expected = Read(part);
            Assert.Equal(expected.Shape, given.Shape);
            var error = Make.RelativeError(given, expected);
            Assert.True(error < Tolerance, $"{part}: relative error {error:g3}");
        }
    }
}

/// <summary>A Python with torchvision that answers for one class of tests.</summary>
public sealed class TorchvisionNetworks : IDisposable
{
    const string Python = "/usr/bin/python3";

    static readonly Lazy<bool> exists = new(() => System.IO.File.Exists(Python) && Runs("import torchvision"));

    readonly TemporaryFolder folder = new();
    readonly Lazy<Process> python;

    public TorchvisionNetworks() => python = new(() => Process.Start(new ProcessStartInfo(
        Python, [Path.Combine(SourceTree.Root, "tests", "pytorch", "torchvision_networks.py"), folder.Path])
    { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!);

    public static bool Exists => exists.Value;

    public string File(string name) => folder[name];

    public JsonElement Ask(string command, string name, int classes)
    {
        python.Value.StandardInput.WriteLine($"{command} {name} {classes}");
        python.Value.StandardInput.Flush();
        var answer = python.Value.StandardOutput.ReadLine();
        Assert.True(answer is not null, answer is null ? python.Value.StandardError.ReadToEnd() : "");
        return JsonDocument.Parse(answer!).RootElement;
    }

    /// <summary>Deletes what was written so far: half a gigabyte for some networks.</summary>
    public void Forget()
    {
        foreach (var file in Directory.GetFiles(folder.Path)) System.IO.File.Delete(file);
    }

    static bool Runs(string program)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, ["-W", "ignore", "-c", program]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    public void Dispose()
    {
        if (python.IsValueCreated)
        {
            python.Value.StandardInput.Close();
            python.Value.WaitForExit();
            python.Value.Dispose();
        }
        folder.Dispose();
    }
}

/// <summary>A fact that runs only where the system's Python has torchvision.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class TorchvisionFactAttribute : FactAttribute
{
    public TorchvisionFactAttribute()
    {
        if (!TorchvisionNetworks.Exists) Skip = TorchvisionTheoryAttribute.Missing;
    }
}

/// <summary>A theory that runs only where the system's Python has torchvision.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class TorchvisionTheoryAttribute : TheoryAttribute
{
    public const string Missing = "the system's Python has no torchvision (Debian: python3-torchvision)";

    public TorchvisionTheoryAttribute()
    {
        if (!TorchvisionNetworks.Exists) Skip = Missing;
    }
}
