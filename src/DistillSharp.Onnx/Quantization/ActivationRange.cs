namespace DistillSharp.Onnx.Quantization;

/// <summary>The values that an activation may have in int8.</summary>
/// <param name="Low">The least, at most 0.</param>
/// <param name="High">The largest, at least 0.</param>
readonly record struct ActivationRange(float Low, float High)
{
    const int Steps = byte.MaxValue;

    /// <summary>The difference between two neighboring values.</summary>
    public float Scale => High > Low ? (High - Low) / Steps : 1;

    /// <summary>The byte that stands for 0.</summary>
    public byte ZeroPoint => (byte)Math.Clamp(MathF.Round(-Low / Scale), 0, Steps);
}
