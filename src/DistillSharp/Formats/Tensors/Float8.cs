using System.Runtime.InteropServices;

namespace DistillSharp.Formats.Tensors;

/// <summary>Real numbers of one byte, which libtorch before 2.1 does not have: read as float32, which holds each of them exactly.</summary>
internal sealed class Float8
{
    readonly float[] values;

    Float8(Func<byte, float> value) => values = [.. Enumerable.Range(0, 256).Select(bits => value((byte)bits))];

    /// <summary>
    /// 1 sign, 4 exponent and 3 mantissa bits, no infinity (Micikevicius et al. 2022, FP8 Formats for Deep Learning, table 1).
    /// </summary>
    public static Float8 E4M3 { get; } = new(bits =>
    {
        var (exponent, mantissa) = ((bits >> 3) & 15, bits & 7);
        var size = exponent == 0 ? mantissa * MathF.Pow(2, -9) : (8 + mantissa) * MathF.Pow(2, exponent - 10);
        if ((bits & 0x7f) == 0x7f) size = float.NaN;
        return bits >= 128 ? -size : size;
    });

    /// <summary>The upper half of a half-precision number.</summary>
    public static Float8 E5M2 { get; } = new(bits => (float)BitConverter.UInt16BitsToHalf((ushort)(bits << 8)));

    /// <summary>The numbers as the bytes of float32.</summary>
    public byte[] Widen(ReadOnlySpan<byte> elements)
    {
        var widened = GC.AllocateUninitializedArray<byte>(elements.Length * sizeof(float));
        var numbers = MemoryMarshal.Cast<byte, float>(widened.AsSpan());
        for (var i = 0; i < elements.Length; i++) numbers[i] = values[elements[i]];
        return widened;
    }
}
