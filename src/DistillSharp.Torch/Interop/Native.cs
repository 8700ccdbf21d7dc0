using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using DistillSharp.Torch.Distributed;

namespace DistillSharp.Torch.Interop;

/// <summary>The C ABI of native/include/distillsharp.h, one to one.</summary>
internal static unsafe partial class Native
{
    const string Library = "distillsharp_native", FileName = $"lib{Library}.so";

    static Native()
    {
        NativeLibrary.SetDllImportResolver(
            typeof(Native).Assembly, (name, assembly, path) => name == Library ? SignalHandlers.KeptWhile(() => Find(assembly, path)) : 0);
        Check(ds_runtime_start());
        var built = Marshal.PtrToStringUTF8((nint)ds_libtorch_version())!;
        if (OtherRelease(built, Text(&ds_build_description)) is { } loaded)
            throw new DllNotFoundException(
                $"{FileName} was built against libtorch {built}, but libtorch {loaded} was loaded from {Text(&ds_library_path)}; name the "
                + "lib folder of the first in LD_LIBRARY_PATH, or build for the second: LIBTORCH=FOLDER eng/build-native.sh --force");
        // libtorch starts with one thread where it cannot read the number of cores.
        var asked = Environment.GetEnvironmentVariable("OMP_NUM_THREADS");
        Check(ds_set_threads(int.TryParse(asked, out var threads) && threads > 0 ? threads : Environment.ProcessorCount));
    }

    /// <summary>
    /// The release that a libtorch says it is, where that is another than the headers were of; null where it is the same or says
    /// nothing. Headers inline the dispatcher, so a library of another release is called by the wrong layout of its objects.
    /// </summary>
    internal static string? OtherRelease(string built, string description) =>
        ReleaseSetting().Match(description) is { Success: true } match
            && !$"{built}.".StartsWith(match.Groups[1].Value + ".", StringComparison.Ordinal)
            ? match.Groups[1].Value : null;

    // Major and minor: Debian's 1.13.1 says that it is 1.13.0.
    [GeneratedRegex(@"\bTORCH_VERSION=(\d+\.\d+)")]
    private static partial Regex ReleaseSetting();

    /// <summary>Turns the status of a native call into a <see cref="TorchException"/> or a <see cref="ProcessGroupException"/>.</summary>
    public static void Check(int status, string? operation = null)
    {
        if (status != 0) Throw(status, operation);
    }

    static void Throw(int status, string? operation)
    {
        const int lostProcesses = 2;
        var message = Marshal.PtrToStringUTF8((nint)ds_last_error()) ?? "an unknown error";
        throw status == lostProcesses ? new ProcessGroupException(message) : new TorchException(operation, message);
    }

    /// <summary>Reads a text that the native side writes into a buffer.</summary>
    public static string Text(delegate*<byte*, int, int> write)
    {
        const int capacity = 16384;
        var buffer = stackalloc byte[capacity];
        Check(write(buffer, capacity));
        return Marshal.PtrToStringUTF8((nint)buffer)!;
    }

    static nint Find(Assembly assembly, DllImportSearchPath? path)
    {
        if (Environment.GetEnvironmentVariable("DISTILLSHARP_NATIVE") is { Length: > 0 } named)
            return File.Exists(named) ? Load(named)
                : throw new DllNotFoundException($"DISTILLSHARP_NATIVE names {named}, and there is no such file");
        // Beside the program, where a build puts it, and where a package has it; the runtime knows further places.
        var platform = $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        string[] candidates = [Path.Combine(AppContext.BaseDirectory, FileName),
            Path.Combine(AppContext.BaseDirectory, "runtimes", platform, "native", FileName)];
        if (Array.Find(candidates, File.Exists) is { } found) return Load(found);
        if (NativeLibrary.TryLoad(Library, assembly, path, out var loaded)) return loaded;
        throw new DllNotFoundException($"{FileName} was not found (tried {string.Join(", ", candidates)}); run eng/build-native.sh, or "
            + "name the file in DISTILLSHARP_NATIVE");
    }

    static nint Load(string file)
    {
        try { return NativeLibrary.Load(file); }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // The runtime's own words end with what the system's loader said of each file it tried.
            var reason = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
            throw new DllNotFoundException(
                $"{file} cannot be loaded ({reason}); it needs the libtorch it was built against: install that one, name its lib folder in "
                + "LD_LIBRARY_PATH, or build for the one you have (eng/build-native.sh) and name the result in DISTILLSHARP_NATIVE", e);
        }
    }

    [LibraryImport(Library)] public static partial byte* ds_last_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ds_operator_find(string name, string overload, out nint found);

    [LibraryImport(Library)]
    public static partial int ds_operator_call(
        nint op, NativeValue* arguments, int count, NativeValue* results, int capacity, out int written);

    [LibraryImport(Library)] public static partial void ds_tensor_free(nint tensor);
    [LibraryImport(Library)] public static partial int ds_tensor_describe(nint tensor, out NativeTensorInfo info);
    [LibraryImport(Library)] public static partial int ds_tensor_set_requires_grad(nint tensor, byte value);
    [LibraryImport(Library)] public static partial int ds_tensor_grad(nint tensor, out nint gradient);
    [LibraryImport(Library)] public static partial int ds_tensor_set_grad(nint tensor, nint gradient);
    [LibraryImport(Library)] public static partial int ds_tensor_set_data(nint tensor, nint data);
    [LibraryImport(Library)] public static partial int ds_tensors_clear_grad(nint* tensors, int count);
    [LibraryImport(Library)] public static partial int ds_tensors_grad(nint* tensors, int count, nint* gradients);
    [LibraryImport(Library)] public static partial int ds_backward(nint root, nint gradient);
    [LibraryImport(Library)] public static partial byte ds_grad_mode();
    [LibraryImport(Library)] public static partial void ds_set_grad_mode(byte enabled);
    [LibraryImport(Library)] public static partial int ds_autocast_enter(int deviceType, byte enabled, int dtype, out byte before);
    [LibraryImport(Library)] public static partial int ds_autocast_leave(int deviceType, byte before);
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ds_module_load(string path, out nint loaded);
    [LibraryImport(Library)] public static partial void ds_module_free(nint module);
    [LibraryImport(Library)]
    public static partial int ds_module_state(nint module, int index, byte* name, int capacity, out nint tensor, out byte isParameter);
    [LibraryImport(Library)]
    public static partial int ds_module_forward(nint module, nint input, nint* results, int capacity, out int written);
    [LibraryImport(Library)] public static partial int ds_process_backends(byte* buffer, int capacity);
    [LibraryImport(Library)] public static partial int ds_process_group_join(in NativeRendezvous rendezvous, out nint joined);
    [LibraryImport(Library)] public static partial void ds_process_group_leave(nint group);
    [LibraryImport(Library)] public static partial int ds_process_group_sum(nint group, nint tensor);
    [LibraryImport(Library)] public static partial int ds_process_group_broadcast(nint group, nint tensor, int root);
    [LibraryImport(Library)] public static partial int ds_process_group_gather(nint group, nint tensor, out nint gathered);
    [LibraryImport(Library)] public static partial int ds_process_group_barrier(nint group);
    [LibraryImport(Library)]
    public static partial int ds_gradient_reducer_make(
        nint group, nint* parameters, double* scales, int count, long bucketBytes, out nint made);
    [LibraryImport(Library)] public static partial int ds_gradient_reducer_begin(nint reducer);
    [LibraryImport(Library)] public static partial int ds_gradient_reducer_end(nint reducer);
    [LibraryImport(Library)] public static partial int ds_gradient_reducer_early(nint reducer);
    [LibraryImport(Library)] public static partial void ds_gradient_reducer_free(nint reducer);
    [LibraryImport(Library)]
    public static partial int ds_image_open(byte* bytes, long count, out int height, out int width, out nint opened);
    [LibraryImport(Library)] public static partial void ds_image_close(nint image);
    [LibraryImport(Library)] public static partial int ds_image_read(nint image, byte* pixels, long capacity);
    [LibraryImport(Library)]
    public static partial int ds_image_read_part(
        nint image, int eighths, int top, int left, int height, int width, byte* pixels, long capacity);
    [LibraryImport(Library)]
    public static partial int ds_jpeg_encode(
        byte* pixels, int height, int width, int quality, byte* bytes, long capacity, out long written);
    [LibraryImport(Library)] public static partial int ds_runtime_start();
    [LibraryImport(Library)] public static partial byte* ds_libtorch_version();
    [LibraryImport(Library)] public static partial int ds_build_description(byte* buffer, int capacity);
    [LibraryImport(Library)] public static partial int ds_library_path(byte* buffer, int capacity);
    [LibraryImport(Library)] public static partial int ds_threads();
    [LibraryImport(Library)] public static partial int ds_set_threads(int count);
    [LibraryImport(Library)] public static partial int ds_multiply_adds_per_second(out double rate);
    [LibraryImport(Library)] public static partial int ds_manual_seed(ulong seed);
    [LibraryImport(Library)] public static partial byte ds_leaves_out_onednn();
    [LibraryImport(Library)] public static partial byte ds_has_native_bf16();
    [LibraryImport(Library)] public static partial int ds_cuda_device_count();
    [LibraryImport(Library)] public static partial int ds_cuda_synchronize(int index);
    [LibraryImport(Library)] public static partial int ds_allow_tf32(byte allowed);
    [LibraryImport(Library)] public static partial byte ds_has_cuda_graphs();
    [LibraryImport(Library)] public static partial int ds_cuda_graph_begin(int index, out nint begun);
    [LibraryImport(Library)] public static partial int ds_cuda_graph_end(nint graph);
    [LibraryImport(Library)] public static partial int ds_cuda_graph_replay(nint graph);
    [LibraryImport(Library)] public static partial void ds_cuda_graph_free(nint graph);
}

/// <summary>ds_kind.</summary>
internal enum ValueKind
{
    None = 0, Tensor = 1, Int = 2, Double = 3, Bool = 4, IntList = 5, BoolList = 7, TensorList = 8, OptionalTensorList = 9, String = 10,
    Device = 11,
}

/// <summary>ds_value.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct NativeValue
{
    [FieldOffset(0)] public ValueKind Kind;
    [FieldOffset(4)] public int Count;
    [FieldOffset(8)] public long Integer;
    [FieldOffset(8)] public double Real;
    [FieldOffset(8)] public nint Pointer;
}

/// <summary>ds_tensor_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeTensorInfo
{
    public DType Type;
    public Device Device;
    public int Dimensions;
    public long Count;
    public Sizes8 Sizes, Strides;
    public nint Data;
    public byte RequiresGrad, IsLeaf;
}

/// <summary>ds_rendezvous.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeRendezvous
{
    public nint Host, Prefix;
    public int Port, Rank, Size, DeviceIndex;
    public byte IsServer;
    public long TimeoutMilliseconds;
}

/// <summary>Eight sizes in a row.</summary>
[InlineArray(8)]
internal struct Sizes8
{
    long first;
}
