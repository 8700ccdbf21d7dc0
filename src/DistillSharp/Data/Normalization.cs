using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DistillSharp.Data;

/// <summary>
/// Bytes to float32: (value / 255 - mean) / std for each channel, in torchvision's order of operations, so that the results
/// are the same to the last bit.
/// </summary>
public sealed class Normalization
{
    const int Lanes = 8;
    readonly float[] mean, std;
    // Channels vectors of each: after so many vectors a whole number of pixels has passed.
    readonly float[] meanVectors, stdVectors;

    /// <param name="mean">Mean of each channel, in 0..1.</param>
    /// <param name="std">Standard deviation of each channel, above 0.</param>
    /// <exception cref="UsageException">
    /// Different lengths, no channel, a value that is not finite, a deviation that is not positive.
    /// </exception>
    public Normalization(IReadOnlyList<float> mean, IReadOnlyList<float> std)
    {
        if (mean.Count == 0 || mean.Count != std.Count)
            throw new UsageException($"the normalization has {mean.Count} means and {std.Count} standard "
                + "deviations; give one of each for every channel");
        for (var c = 0; c < mean.Count; c++)
        {
            if (!float.IsFinite(mean[c])) throw new UsageException($"the mean of channel {c} is {mean[c]}; it must be a finite number");
            if (!float.IsFinite(std[c]) || std[c] <= 0)
                throw new UsageException($"the standard deviation of channel {c} is {std[c]}; it must be above 0");
        }
        (this.mean, this.std) = ([.. mean], [.. std]);
        meanVectors = [.. Enumerable.Range(0, Channels * Lanes).Select(i => mean[i % Channels])];
        stdVectors = [.. Enumerable.Range(0, Channels * Lanes).Select(i => std[i % Channels])];
    }

    /// <summary>Number of channels.</summary>
    public int Channels => mean.Length;

    /// <summary>Mean of each channel.</summary>
    public ReadOnlySpan<float> Mean => mean;

    /// <summary>Standard deviation of each channel.</summary>
    public ReadOnlySpan<float> Std => std;

    /// <summary>Normalizes whole pixels.</summary>
    /// <param name="pixels">[..., C] bytes.</param>
    /// <param name="destination">As many floats.</param>
    public void Apply(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        destination = destination[..pixels.Length];
        var done = Vector256.IsHardwareAccelerated ? ApplyVectors(pixels, destination) : 0;
        for (var (i, c) = (done, 0); i < pixels.Length; i++, c = c + 1 == mean.Length ? 0 : c + 1)
            destination[i] = (pixels[i] / 255f - mean[c]) / std[c];
    }

    int ApplyVectors(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(pixels);
        ref var to = ref MemoryMarshal.GetReference(destination);
        var white = Vector256.Create(255f);
        var block = meanVectors.Length;
        var end = pixels.Length - pixels.Length % block;
        for (var start = 0; start < end; start += block)
            for (var lane = 0; lane < block; lane += Lanes)
            {
                var bytes = Vector64.LoadUnsafe(ref from, (nuint)(start + lane)).ToVector128Unsafe();
                var (low, high) = Vector128.Widen(Vector128.WidenLower(bytes));
                var value = Vector256.ConvertToSingle(Vector256.Create(low, high).AsInt32());
                var centered = value / white - Vector256.LoadUnsafe(ref meanVectors[0], (nuint)lane);
                (centered / Vector256.LoadUnsafe(ref stdVectors[0], (nuint)lane)).StoreUnsafe(ref to, (nuint)(start + lane));
            }
        return end;
    }
}
