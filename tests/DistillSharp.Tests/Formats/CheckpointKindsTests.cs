using System.Diagnostics;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Formats;

/// <summary>
/// What people bring, written by PyTorch and numpy (tests/pytorch/checkpoints.py): the weights of one network among objects of
/// other programs, under prefixes, in all kinds of file. Each loads to the same values, or says in a sentence why not.
/// </summary>
public sealed class CheckpointKindsTests(CheckpointKinds kinds) : IClassFixture<CheckpointKinds>
{
    [PythonTorchFact]
    public void Whatever_lies_beside_the_weights_they_load()
    {
        string[] patterns = ["path-*", "beside-*", "counter-*", "prefix*", "arrays*", "module*"];
        var files =
            patterns.SelectMany(pattern => Directory.GetFiles(kinds.Folder, pattern)).Select(file => Path.GetFileName(file)!).ToList();
        Assert.InRange(files.Count, 70, 200);
        var failed = files.Concat(["with-optimizer.pth", "parameters.pth", "channels-last.pth", "list.pth", "legacy.pth", "odd-key.pth",
            "head-outside.pth", "plain.safetensors", "sharded.safetensors.index.json"]).Select(kinds.Trouble).OfType<string>().ToList();
        Assert.True(failed.Count == 0, string.Join('\n', failed));
        Assert.False(File.Exists("pwned"));
    }

    [PythonTorchTheory]
    [InlineData("profiled.pth", "a profiler's counts (total_ops, total_params) left out: ")]
    [InlineData("averaged.pth", "the count of an averaged model (n_averaged) left out: 1 value")]
    [InlineData("averaged-nested.pth", "the count of an averaged model (n_averaged) left out: 1 value")]
    [InlineData("stray.pth", "1 tensor that resnet8 does not have left out: criterion.weight")]
    [InlineData("stray-lightning.pth", "1 tensor that resnet8 does not have left out: criterion.weight")]
    [InlineData("both-unlike.pth", "left out: teacher.conv1.weight, teacher.bn1.weight, teacher.bn1.bias, ...")]
    [InlineData("plain-and-ema.pth", "left out: ema.conv1.weight, ema.bn1.weight, ema.bn1.bias, ...")]
    [InlineData("head-renamed.pth", "head is taken for the classifier fc: it alone has its shape")]
    [InlineData("float8-beside.safetensors", "1 tensor that resnet8 does not have left out: x")]
    [InlineData("unknown-beside.safetensors", "2 tensors that resnet8 does not have left out: x, y")]
    [InlineData("extra.safetensors", "1 tensor that resnet8 does not have left out: x")]
    [InlineData("tail.safetensors", "16 bytes at the file's end belong to no tensor and are left out")]
    [InlineData("two.pth#state_dict_ema", null)]
    [InlineData("both.pth#student", "left out: module.teacher.")]
    [InlineData("both.pth#module.student", "left out: module.teacher.")]
    public void What_was_found_is_said_in_a_line(string file, string? line)
    {
        Assert.Null(kinds.Trouble(file, out var lines));
        if (line is null) Assert.Empty(lines);
        else Assert.Contains(line.Replace("module.", ""), Assert.Single(lines));
    }

    [PythonTorchTheory]
    [InlineData("type-half.pth", "float16", 1e-3)]
    [InlineData("type-half-module.pth", "float16", 1e-3)]
    [InlineData("type-bfloat16.pth", "bfloat16", 1e-2)]
    [InlineData("type-double.pth", "float64", 0)]
    public void Other_element_types_are_converted_with_a_line(string file, string type, double near)
    {
        using var network = kinds.Load(file, out var report);
        Assert.Equal([$"converted to float32 from {type}"], report.Lines);
        kinds.AssertLike(network, near);
    }

    [PythonTorchFact]
    public void Two_sets_of_weights_the_one_taken_is_said_and_the_other_named()
    {
        using var network = kinds.Load("two.pth", out var report);
        Assert.Equal("state_dict", report.Key);
        Assert.Equal(
            ["the weights under state_dict are taken; state_dict_ema would fit, too: FILE#state_dict_ema takes that"], report.Lines);
    }

    [PythonTorchFact]
    public void Pruned_weights_are_multiplied_by_their_masks()
    {
        using var network = kinds.Load("pruned.pth", out var report);
        Assert.Equal(["9 pruned weights multiplied by their masks (torch.nn.utils.prune)"], report.Lines);
        using var expected = kinds.Load("pruned-expected.pth", out _);
        foreach (var (own, other) in network.State().Zip(expected.State())) Assert.Equal(Values(other.Tensor), Values(own.Tensor));
    }

    [PythonTorchTheory]
    [InlineData("both.pth", "holds 2 networks that fit resnet8, under student. and teacher.; say which one: FILE#student or FILE#teacher")]
    [InlineData("two.pth#model_emma", "holds nothing under 'model_emma'; there are state_dict, state_dict_ema")]
    [InlineData("weight-norm.pth", "call remove_weight_norm on its layers and save again")]
    [InlineData("spectral-norm.pth", "call remove_spectral_norm on its layers and save again")]
    [InlineData("renamed.pth", " names fit\n  missing: ")]
    [InlineData("renamed.pth", "the names that come nearest: shortcut for downsample, linear for fc")]
    [InlineData("other-classes.pth", "they are for 7 classes, the network has 10")]
    [InlineData(
        "missing.pth", "names fit\n  missing: layer3.0.bn2.weight [64], layer3.0.bn2.bias [64], layer3.0.bn2.running_mean [64] and 1 more")]
    [InlineData("deeper.pth", "names fit\n  unexpected: layer1.1.conv1.weight [16, 16, 3, 3]")]
    [InlineData("nan.pth", "not finite: conv1.weight holds NaN or infinite values")]
    [InlineData("sparse-weight.pth", "fc.weight")]
    [InlineData("cut-half.pth", "cut short")]
    [InlineData("cut-end.pth", "cut short")]
    [InlineData("cut-legacy.pth", "cut short")]
    [InlineData("empty.pth", "is empty")]
    [InlineData("page.pth", "is a web page or XML, not weights")]
    [InlineData("lfs.pth", "git lfs pull")]
    [InlineData("lacking.safetensors.index.json", "names the file part-3.safetensors, which is not there")]
    [InlineData("outside.safetensors.index.json", "which does not lie beside it")]
    public void What_cannot_be_loaded_says_the_cause_and_leaves_the_network_as_it_was(string file, string said)
    {
        using var network = Networks.Create("resnet8", 10, seed: 2);
        var before = network.State().Select(entry => Values(entry.Tensor)).ToList();
        var message = Assert.Throws<UserException>(() => network.LoadWeights(kinds.At(file))).Message;
        Assert.StartsWith(kinds.At(file).Split('#')[0], message);
        Assert.Contains(said, message.Replace(kinds.At(file), "FILE"));
        Assert.InRange(message.Split('\n').Length, 1, 6);
        Assert.Equal(before, network.State().Select(entry => Values(entry.Tensor)));
    }

    internal static float[] Values(Tensor tensor)
    {
        using var scope = TensorScope.Open();
        return tensor.Detach().To(DType.Float32).ToArray<float>();
    }
}

/// <summary>The files, made once.</summary>
public sealed class CheckpointKinds : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly Classifier plain = Networks.Create("resnet8", 10, seed: 1);

    public CheckpointKinds()
    {
        if (!PythonTorch.Exists) return;
        DistillSharp.Formats.PyTorch.PyTorchFile.Write(folder["state.pth"], plain.StoredState());
        Directory.CreateDirectory(Folder);
        using var python = Process.Start(new ProcessStartInfo(
            "/usr/bin/python3",
                ["-W", "ignore", Path.Combine(SourceTree.Root, "tests", "pytorch", "checkpoints.py"), folder["state.pth"], Folder])
        { RedirectStandardError = true })!;
        var error = python.StandardError.ReadToEnd();
        python.WaitForExit();
        Assert.True(python.ExitCode == 0, error);
    }

    public string Folder => folder["kinds"];

    public string At(string file) => Path.Combine(Folder, file);

    public Classifier Load(string file, out WeightsReport report) =>
        Networks.Create("resnet8", 10, seed: 2).LoadWeights(At(file), out report);

    /// <summary>Why a file does not load to the plain values; null where it does.</summary>
    public string? Trouble(string file) => Trouble(file, out _);

    public string? Trouble(string file, out IReadOnlyList<string> lines)
    {
        lines = [];
        try
        {
            using var network = Load(file, out var report);
            lines = report.Lines;
            AssertLike(network, 0);
            return null;
        }
        catch (Exception e)
        {
            return $"{file}: {e.Message}";
        }
    }

    public void AssertLike(Classifier network, double near)
    {
        foreach (var (own, other) in network.State().Zip(plain.State()))
            Assert.All(
                CheckpointKindsTests.Values(own.Tensor).Zip(CheckpointKindsTests.Values(other.Tensor)), pair =>
                    Assert.InRange(pair.First, pair.Second - near, pair.Second + near));
    }

    public void Dispose()
    {
        plain.Dispose();
        folder.Dispose();
    }
}

/// <summary>A theory that runs only where the system's Python has PyTorch.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class PythonTorchTheoryAttribute : TheoryAttribute
{
    public PythonTorchTheoryAttribute()
    {
        if (!PythonTorch.Exists) Skip = "the system's Python has no PyTorch (Debian: python3-torch)";
    }
}
