using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>In which type the heavy operators compute.</summary>
public enum Precision
{
    /// <summary>bf16 where the device computes it natively, else float32.</summary>
    Auto,

    /// <summary>float32 throughout.</summary>
    Fp32,

    /// <summary>
    /// Convolutions and matrix products in bfloat16, weights and sums in float32; float32 on a processor that does not multiply
    /// bfloat16 natively, where it would be slower and, in libtorch, right to two digits only.
    /// </summary>
    Bf16,
}

/// <summary>What follows from a <see cref="Precision"/>.</summary>
public static class PrecisionExtensions
{
    /// <summary>What is computed on a device where that precision is asked for: float32 or bfloat16.</summary>
    public static Precision Resolve(this Precision precision, Device device) =>
        precision != Precision.Fp32 && (device.Type == DeviceType.Cuda || Runtime.HasNativeBf16) ? Precision.Bf16 : Precision.Fp32;

    /// <summary>A sentence where a device does not compute what is asked for; else null.</summary>
    public static string? Departure(this Precision precision, Device device) => precision == Precision.Bf16 && precision.Resolve(device) != precision
        ? "precision bf16: this processor does not multiply bfloat16, so float32 is computed, which is faster and more exact here"
        : null;

    /// <summary>
    /// Lets the heavy operators of this thread compute in that precision until disposed. Cast weights are kept until the
    /// outermost region ends.
    /// </summary>
    public static Autocast Enter(this Precision precision, Device device) => new(precision.Resolve(device) == Precision.Bf16, device);

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

        /// <inheritdoc/>
        public void Dispose() => Native.Check(Native.ds_autocast_leave(device, before), "autocast");
    }
}
