using System.Diagnostics;
using DistillSharp.Data;
using DistillSharp.Models;

namespace DistillSharp.Tests.Formats;

/// <summary>
/// The shared cases, each with its right outcome: checkpoints as their script writes them, and images beside what Pillow reads.
/// </summary>
public sealed class SharedCasesTests
{
    const int Classes = 100;

    // What loads to the plain values exactly.
    static readonly string[] same =
    [
        "00-plain.pth", "01-*", "02-*", "03-*", "04-counter1.pth", "05-float.pth", "05-double.pth", "06-thop.pth", "07-*", "09-*",
            "10-odd-key.pth",
        "11-*", "13-legacy.pth", "14-*", "15-dp.pth", "15-parameters.pth", "15-channels-last.pth", "15-list.pth", "15-numpy.*",
    ];

    static readonly Dictionary<string, string> said = new()
    {
        ["05-double.pth"] = "converted to float32 from float64",
        ["05-half.pth"] = "converted to float32 from float16",
        ["05-half-module.pth"] = "converted to float32 from float16",
        ["06-thop.pth"] = "a profiler's counts (total_ops, total_params) left out: ",
        ["07-averaged.pth"] = "the count of an averaged model (n_averaged) left out",
        ["07-averaged-nested.pth"] = "the count of an averaged model (n_averaged) left out",
        ["09-lightning-criterion.pth"] = "1 tensor that resnet8 does not have left out: criterion.weight",
        ["09-plain-criterion.pth"] = "1 tensor that resnet8 does not have left out: criterion.weight",
        ["10-ema.pth"] = "the weights under state_dict are taken; state_dict_ema would fit, too: FILE#state_dict_ema takes that",
        ["12-prune.pth"] = "9 pruned weights multiplied by their masks",
        ["14-f8-extra.safetensors"] = "1 tensor that resnet8 does not have left out: x",
        ["14-f32-extra.safetensors"] = "1 tensor that resnet8 does not have left out: x",
        ["14-tail.safetensors"] = "16 bytes at the file's end belong to no tensor and are left out",
    };

    static readonly Dictionary<string, string> refused = new()
    {
        ["08-both.pth"] = "holds 2 networks that fit resnet8, under student. and teacher.; say which one: FILE#student or FILE#teacher",
        ["08-both-nested.pth"] = "holds 2 networks that fit resnet8, under student. and teacher.; say which one: ",
        ["13-22.pth"] = "cut short",
        ["13-99.pth"] = "cut short",
        ["13-half.pth"] = "cut short",
        ["13-legacy-half.pth"] = "cut short",
        ["13-empty.pth"] = "is empty",
        ["13-html.pth"] = "is a web page or XML, not weights",
        ["15-jit.pt"] = "TorchScript",
        ["15-10-classes.pth"] = "they are for 10 classes, the network has 100",
        ["15-nan.pth"] = "not finite: conv1.weight holds NaN or infinite values",
    };

    [SharedPythonTorchFact]
    public void Every_checkpoint_of_the_script_has_its_right_outcome()
    {
        using var folder = new TemporaryFolder();
        using var plain = Networks.Create("resnet8", Classes, seed: 1);
        DistillSharp.Formats.PyTorch.PyTorchFile.Write(folder["R8.pth"], plain.StoredState());
        Make(folder["R8.pth"], folder["out"]);
        var exact =
            same.SelectMany(pattern => Directory.GetFiles(folder["out"], pattern)).Select(file => Path.GetFileName(file)!).ToHashSet();
        var wrong = new List<string>();
        var files = Directory.GetFiles(folder["out"]).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal).ToList();
        Assert.InRange(files.Count, 50, 80);
        foreach (var file in files)
            if (Trouble(Path.Combine(folder["out"], file), exact.Contains(file)) is { } trouble) wrong.Add($"{file}: {trouble}");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        // The other of two sets, and the half of two that is asked for.
        Assert.Null(Difference(plain, folder["out/10-ema.pth#state_dict_ema"]));
        Assert.Null(Difference(plain, folder["out/08-both.pth#student"]));

        string? Trouble(string path, bool exactly)
        {
            var name = Path.GetFileName(path);
            using var network = Networks.Create("resnet8", Classes, seed: 2);
            try
            {
                network.LoadWeights(path, out var report);
                if (refused.ContainsKey(name)) return "loads";
                if (said.TryGetValue(name, out var line) ? !report.Lines.Any(one => one.Replace(path, "FILE").Contains(line))
                    : report.Lines.Count > 0)
                    return $"says {string.Join(" | ", report.Lines)}";
                return exactly ? Difference(plain, path) : null;
            }
            catch (UserException e)
            {
                if (e.Message.Split('\n').Length > 6) return $"many lines: {e.Message}";
                return refused.TryGetValue(name, out var sentence) && e.Message.Replace(path, "FILE").Contains(sentence) ? null : e.Message;
            }
        }
    }

    static string? Difference(Classifier plain, string path)
    {
        using var network = Networks.Create("resnet8", Classes, seed: 2).LoadWeights(path);
        foreach (var (own, other) in network.State().Zip(plain.State()))
            if (!CheckpointKindsTests.Values(own.Tensor).SequenceEqual(CheckpointKindsTests.Values(other.Tensor)))
                return $"{own.Name} has other values";
        return null;
    }

    // The script takes paths for granted as Pythons before 3.13 write them.
    const string AsBefore =
        "import pathlib, runpy, sys; sys.argv = sys.argv[1:]\n"
        + "for kind in (pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath):\n"
        + "    kind.__module__ = 'pathlib'\n"
        + "runpy.run_path(sys.argv[0], run_name='__main__')";

    static void Make(string weights, string folder)
    {
        using var python =
            Process.Start(
                new ProcessStartInfo(
                    "/usr/bin/python3", ["-W", "ignore", "-c", AsBefore, SharedFiles.Path("cases/make_checkpoints.py"), weights, folder])
                { RedirectStandardError = true })!;
        var error = python.StandardError.ReadToEnd();
        python.WaitForExit();
        Assert.True(python.ExitCode == 0, error);
    }

    [SharedTheory]
    [InlineData("27-cmyk-bare", "27-cmyk-bare.jpg")]
    [InlineData("28-grey16", "28-grey16.png")]
    [InlineData("28-rgb16", "28-rgb16.png")]
    [InlineData("30-no-iend", "30-no-iend.png")]
    public void Every_image_is_seen_as_Pillow_sees_it(string folder, string file)
    {
        var (image, expected) =
            (ImageFiles.Read(SharedFiles.Path($"cases/images/{folder}/{file}")),
                ImageFiles.Read(SharedFiles.Path($"cases/images/{folder}/expected.png")));
        Assert.Equal((expected.Height, expected.Width), (image.Height, image.Width));
        Assert.Equal(expected.Pixels, image.Pixels);
    }
}
