using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>In which type the heavy operators compute.</summary>
public enum Precision
{
    /// <summary>bf16 where the device computes it faster (<see cref="Runtime.IsBf16Faster"/>; a GPU), else float32.</summary>
    Auto,
    /// <summary>float32 throughout.</summary>
    Fp32,
    /// <summary>
    /// Convolutions and matrix products in bfloat16, weights and sums in float32; float32 on a processor that does not multiply
    /// bfloat16 natively, where it would be slower and, in libtorch, right to two digits only.
    /// </summary>
    Bf16,
    /// <summary>float32 whose products a GPU may round to TF32 (11 binary digits), which is faster there; float32 on a processor.</summary>
    Tf32,
}

/// <summary>What follows from a <see cref="Precision"/>.</summary>
public static class PrecisionExtensions
{
    /// <summary>What is computed on a device where that precision is asked for; never <see cref="Precision.Auto"/>.</summary>
    public static Precision Resolve(this Precision precision, Device device) => precision switch
    {
        Precision.Auto when device.Type == DeviceType.Cuda || Runtime.IsBf16Faster => Precision.Bf16,
        Precision.Bf16 when device.Type == DeviceType.Cuda || Runtime.HasNativeBf16 => Precision.Bf16,
        Precision.Tf32 when device.Type == DeviceType.Cuda => Precision.Tf32,
        _ => Precision.Fp32,
    };

    /// <summary>A sentence where a device does not compute what is asked for; else null.</summary>
    public static string? Departure(this Precision precision, Device device) => precision switch
    {
        Precision.Auto => null,
        _ when precision.Resolve(device) == precision => null,
        Precision.Bf16 =>
            "precision bf16: this processor does not multiply bfloat16, so float32 is computed, which is faster and more exact here",
        _ => "precision tf32 is a GPU's: float32 is computed",
    };

    /// <summary>
    /// Lets the heavy operators of this thread compute in that precision until disposed. Cast weights are kept until the
    /// outermost region ends. Whether a GPU may use TF32 is decided for the whole process, and stays so until the next region:
    /// the backward pass stands outside.
    /// </summary>
    public static Autocast Enter(this Precision precision, Device device)
    {
        var resolved = precision.Resolve(device);
        if (device.Type == DeviceType.Cuda) Native.Check(Native.ds_allow_tf32(resolved == Precision.Tf32 ? (byte)1 : (byte)0), "tf32");
        return new(resolved == Precision.Bf16, device);
    }

    /// <summary>A region of one precision.</summary>
    public readonly struct Autocast : IDisposable
    {
        readonly byte before;
        readonly int device;

        internal Autocast(bool mixed, Device device)
        {
            this.device = (int)device.Type;
            Native.Check(Native.ds_autocast_enter(this.device, mixed ? (byte)1 : (byte)0, (int)DType.BFloat16, out before), "autocast");
        }

        public void Dispose() => Native.Check(Native.ds_autocast_leave(device, before), "autocast");
    }
}
