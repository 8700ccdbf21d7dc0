using System.Diagnostics;
using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

/// <summary>Real data sets, read once for all tests.</summary>
public static class RealData
{
    static readonly Lazy<string> cifar100Root = new(Unpack);
    static readonly Lazy<Dataset> cifar100 = new(() => Datasets.Cifar100(cifar100Root.Value));

    /// <summary>Debian's package dataset-fashion-mnist.</summary>
    public const string FashionMnistRoot = "/usr/share/datasets/fashion-mnist";

    /// <summary>A folder that holds cifar-100-python/. Only for tests marked <see cref="SharedFactAttribute"/>.</summary>
    public static string Cifar100Root => cifar100Root.Value;

    /// <summary>The official CIFAR-100. Only for tests marked <see cref="SharedFactAttribute"/>.</summary>
    public static Dataset Cifar100 => cifar100.Value;

    // Kept between runs: the script checks the sums and does nothing where they are right. DISTILLSHARP_CIFAR100 names a copy.
    static string Unpack()
    {
        if (Environment.GetEnvironmentVariable("DISTILLSHARP_CIFAR100") is { Length: > 0 } named) return named;
        var root = Path.Combine(Path.GetTempPath(), $"distillsharp-cifar100-{Environment.UserName}");
        Directory.CreateDirectory(root);
        using var script = Process.Start("flock", [Path.Combine(root, "lock"), "bash", SharedFiles.Path("data/unpack.sh"), root]);
        script.WaitForExit();
        return script.ExitCode == 0 ? root : throw new InvalidOperationException($"data/unpack.sh ended with {script.ExitCode}");
    }
}
