using DistillSharp.Torch.Interop;

namespace DistillSharp.Torch;

/// <summary>In which type the heavy operators compute.</summary>
public enum Precision
{
    /// <summary>bf16 where the device computes it natively, else float32.</summary>
    Auto,

    /// <summary>float32 throughout.</summary>
    Fp32,

    /// <summary>Convolutions and matrix products in bfloat16, weights and sums in float32.</summary>
    Bf16,
}

/// <summary>What follows from a <see cref="Precision"/>.</summary>
public static class PrecisionExtensions
{
    /// <summary>The precision that <see cref="Precision.Auto"/> stands for on a device; the others stand for themselves.</summary>
    public static Precision Resolve(this Precision precision, Device device) => precision switch
    {
        Precision.Auto when device.Type == DeviceType.Cuda || Runtime.HasNativeBf16 => Precision.Bf16,
        Precision.Auto => Precision.Fp32,
        _ => precision,
    };

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
