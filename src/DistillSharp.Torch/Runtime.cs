using System.Runtime.InteropServices;
using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>The process-wide state of libtorch.</summary>
public static unsafe class Runtime
{
    /// <summary>libtorch's version, for example <c>1.13.1</c>.</summary>
    public static string Version => Marshal.PtrToStringUTF8((nint)Native.ds_libtorch_version())!;

    /// <summary>libtorch's own description of how it was built: compiler, BLAS, oneDNN, CPU capability.</summary>
    public static string BuildDescription => Native.Text(&Native.ds_build_description);

    /// <summary>The file that libtorch was loaded from.</summary>
    public static string LibraryPath => Native.Text(&Native.ds_library_path);

    /// <summary>How many threads one operator may use. It starts at the number of cores.</summary>
    public static int Threads
    {
        get => Native.ds_threads();
        set => Native.Check(Native.ds_set_threads(value), "set_num_threads");
    }

    /// <summary>
    /// Whether libtorch's own convolutions do without oneDNN, as it computes wrong ones on this processor, which is tried when libtorch
    /// is loaded: Debian 13's oneDNN 3.7.2 does on AMD's Zen 5. Those that this library's kernels do not take are slower then.
    /// </summary>
    public static bool LeavesOutOneDnn => Native.ds_leaves_out_onednn() != 0;

    /// <summary>Whether bfloat16 is multiplied natively: by AVX-512 BF16, where DISTILLSHARP_KERNELS does not leave it out.</summary>
    public static bool HasNativeBf16 => Native.ds_has_native_bf16() != 0;

    /// <summary>
    /// Whether the processor trains sooner in bfloat16 than in float32: measured by a small block of a network when first asked for, in
    /// some tenths of a second. Some processors have the instructions, and lose by them.
    /// </summary>
    public static bool IsBf16Faster => Bf16Trial.IsFaster;

    /// <summary>How many NVIDIA GPUs libtorch can use; 0 without a CUDA build.</summary>
    public static int CudaDevices => Native.ds_cuda_device_count();

    /// <summary>Seeds libtorch's generators on every device (used for initialization only).</summary>
    public static void Seed(ulong seed) => Native.Check(Native.ds_manual_seed(seed), "manual_seed");

    /// <summary>
    /// Measures how many float32 multiply-adds a second the processor does at its best: in registers, on all threads. It takes
    /// some hundredths of a second, and is exact only where nothing else runs.
    /// </summary>
    public static double MeasurePeak()
    {
        Native.Check(Native.ds_multiply_adds_per_second(out var rate), "multiply_adds_per_second");
        return rate;
    }

    /// <summary>Waits until a GPU has done all it was given; a processor has nothing to wait for.</summary>
    public static void Synchronize(Device device)
    {
        if (device.Type == DeviceType.Cuda) Native.Check(Native.ds_cuda_synchronize(device.Index), "synchronize");
    }
}
