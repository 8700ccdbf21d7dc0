using System.Diagnostics;

namespace DistillSharp.Verification;

/// <summary>One thing that <see cref="Doctor"/> looked at.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">What was found.</param>
/// <param name="Healthy">Whether it is as it should be.</param>
/// <param name="Remedy">What mends it, a command where there is one; null where nothing need be done.</param>
public sealed record Finding(string Name, string Value, bool Healthy, string? Remedy = null);

/// <summary>Looks at the machine: which libtorch was found, and whether anything makes it slow.</summary>
public static class Doctor
{
    // The reference BLAS computes on one core, about 3 GFLOP/s on today's processors; a tuned one reaches more than ten times that.
    const double SlowBlas = 10e9;

    /// <summary>Looks at everything. Measuring takes about a second.</summary>
    public static IReadOnlyList<Finding> Examine() =>
    [
        new("libtorch", Runtime.Version, true),
        new("loaded from", Runtime.LibraryPath, true),
        new("built with", BuildSummary(), true),
        Threads(),
        Blas(),
        OneDnn(),
        Convolutions("convolutions, float32", Precision.Fp32),
        NativeBf16(),
        .. Runtime.HasNativeBf16 ? new[] { Convolutions("convolutions, bf16", Precision.Bf16) } : [],
        Gpu(),
    ];

    static Finding Threads()
    {
        var (threads, cores) = (Runtime.Threads, Environment.ProcessorCount);
        return new("threads", $"{threads} of {cores} cores", threads >= cores,
            threads >= cores ? null : "unset OMP_NUM_THREADS, or set it to the number of cores");
    }

    static Finding Blas()
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        var (a, b) = (Tensor.Rand([1024, 256]), Tensor.Rand([256, 1024]));
        var seconds = Fastest(() => a.MatMul(b).Dispose());
        var rate = 2.0 * 1024 * 256 * 1024 / seconds;
        var value = $"1024x256 by 256x1024 in {seconds * 1e3:0.0} ms, {rate / 1e9:0} GFLOP/s";
        return new("BLAS", value, rate > SlowBlas, rate > SlowBlas ? null
            : "sudo apt-get install libopenblas0-openmp && sudo update-alternatives --set libblas.so.3-x86_64-linux-gnu "
                + "/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3");
    }

    static Finding Convolutions(string name, Precision precision)
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        using var mixed = precision.Enter(Device.Cpu);
        var type = precision == Precision.Bf16 ? DType.BFloat16 : DType.Float32;
        var x = Tensor.Rand([32, 64, 32, 32]).To(type).Contiguous(MemoryFormat.ChannelsLast);
        var weight = Tensor.Rand([64, 64, 3, 3]).To(type).Contiguous(MemoryFormat.ChannelsLast);
        var seconds = Fastest(() => Functional.Conv2d(x, weight, null, 1, 1, 1, 1).Dispose());
        var rate = 2.0 * 32 * 64 * 64 * 9 * 32 * 32 / seconds;
        return new(name, $"{rate / 1e9:0} GFLOP/s (3x3, 64 channels, 32x32, batch 32)", true);
    }

    static Finding OneDnn() => new("oneDNN", Runtime.LeavesOutOneDnn
        ? "computes wrong convolutions on this processor: left out, so that layers which this project's kernels do not take are slower"
        : "right in the convolutions that were tried", true);

    static Finding NativeBf16() => new("bf16",
        !Runtime.HasNativeBf16 ? "not native on this processor: precision auto computes in float32"
            : Runtime.IsBf16Faster ? "native (AVX-512 BF16): precision auto computes in bf16"
            : "native (AVX-512 BF16), but no faster than float32: precision auto computes in float32", true);

    static Finding Gpu() => new("GPU", Runtime.CudaDevices > 0
        ? $"{Runtime.CudaDevices} CUDA device(s): train with train.device: cuda" : "none that this libtorch can use", true);

    static string BuildSummary()
    {
        var lines = Runtime.BuildDescription.Split('\n').Select(line => line.Trim(' ', '-'));
        string[] wanted = ["GCC", "OpenMP", "LAPACK", "CPU capability", "oneDNN", "MKL-DNN", "MKLDNN", "CUDA"];
        return string.Join(
            "; ", lines.Where(line => line.Length < 120 && wanted.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase))));
    }

    static double Fastest(Action work)
    {
        work();
        return Enumerable.Range(0, 7).Select(_ =>
        {
            var clock = Stopwatch.StartNew();
            work();
            return clock.Elapsed.TotalSeconds;
        }).Min();
    }
}
