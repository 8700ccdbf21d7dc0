using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistillSharp.Data;

/// <summary>
/// Scaling by triangle filters as wide as the scale (bilinear, with antialiasing): first along rows, then along columns, in whole numbers
/// with 22 bits behind the point, rounded to bytes after each. That is Pillow's method to the last bit, and with it torchvision's.
/// </summary>
public static class ImageScaling
{
    // Where a shuffle puts a zero.
    const byte none = 0xff;

    /// <inheritdoc cref="Scale(ImageView, ImageArea, int, int, Span{byte})"/>
    /// <returns>[height, width, C].</returns>
    public static byte[] Scale(ImageView image, ImageArea area, int height, int width)
    {
        var result = GC.AllocateUninitializedArray<byte>(checked(height * width * image.Channels));
        Scale(image, area, height, width, result);
        return result;
    }

    /// <summary>Scales an area of an image.</summary>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="area">What to take of it.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="destination">[height, width, C].</param>
    public static void Scale(ImageView image, ImageArea area, int height, int width, Span<byte> destination) =>
        Scale(image, area, new(0, 0, area.Height, area.Width), height, width, new(0, 0, height, width), destination);

    /// <summary>
    /// Scales an image so that its shorter side has a length, then cuts the middle out (torchvision's Resize and CenterCrop).
    /// </summary>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="shorter">Length of the shorter side.</param>
    /// <param name="height">Rows of the result, at most <paramref name="shorter"/>.</param>
    /// <param name="width">Columns of the result, at most <paramref name="shorter"/>.</param>
    /// <returns>[height, width, C].</returns>
    public static byte[] FitCenter(ImageView image, int shorter, int height, int width)
    {
        var (h, w) = Fit(image.Height, image.Width, shorter);
        var (top, left) = ((int)Math.Round((h - height) / 2.0), (int)Math.Round((w - width) / 2.0));
        var result = GC.AllocateUninitializedArray<byte>(checked(height * width * image.Channels));
        Scale(image, ImageArea.Of(image), new(0, 0, image.Height, image.Width), h, w, new(top, left, height, width), result);
        return result;
    }

    /// <summary>The size of an image whose shorter side is brought to a length.</summary>
    internal static (int Height, int Width) Fit(int height, int width, int shorter) => width <= height
        ? ((int)((long)shorter * height / width), shorter)
        : (shorter, (int)((long)shorter * width / height));

    /// <summary>Scales a box whose edges may lie within pixels.</summary>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="box">What to take of it; what lies beside it is seen where a filter reaches so far.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="destination">[height, width, C].</param>
    internal static void Scale(ImageView image, ImageBox box, int height, int width, Span<byte> destination) =>
        Scale(image, ImageArea.Of(image), box, height, width, new(0, 0, height, width), destination);

    // Of an area no more than it is seen: beyond its edges there is nothing, as if it had been cut out first; the box is counted within it.
    // Only a part of the result is computed: all of it may be far larger, when a long strip is scaled up.
    static void Scale(ImageView image, ImageArea area, ImageBox box, int height, int width, ImageArea part, Span<byte> destination)
    {
        var stride = part.Width * image.Channels;
        var along = ScalingFilter.Of(area.Width, box.Left, box.Width, width, part.Left, part.Width);
        var down = ScalingFilter.Of(area.Height, box.Top, box.Height, height, part.Top, part.Height);
        destination = destination[..(part.Height * stride)];
        var (first, count) = (down.First(0), down.End(part.Height - 1) - down.First(0));
        // Where rows stay as they are there is nothing to mix.
        var mixed = !down.IsCopy;
        var borrowed = mixed ? ArrayPool<byte>.Shared.Rent(count * stride) : null;
        var rows = mixed ? borrowed.AsSpan(0, count * stride) : destination;
        for (var y = 0; y < count; y++)
        {
            var row = image.Pixels.Slice(((area.Top + first + y) * image.Width + area.Left) * image.Channels, area.Width * image.Channels);
            ScaleRow(row, rows.Slice(y * stride, stride), along, image.Channels);
        }
        if (!mixed) return;
        for (var y = 0; y < part.Height; y++)
            MixRows(rows[((down.First(y) - first) * stride)..], destination.Slice(y * stride, stride), down, y);
        ArrayPool<byte>.Shared.Return(borrowed!);
    }

    static void ScaleRow(ReadOnlySpan<byte> from, Span<byte> to, ScalingFilter filter, int channels)
    {
        if (filter.IsCopy)
        {
            from.Slice(filter.First(0) * channels, to.Length).CopyTo(to);
            return;
        }
        for (var x = 0; x < filter.Count; x++)
        {
            var taken = from[(filter.First(x) * channels)..];
            // Eight bytes are read for each two pixels of three.
            if (channels == 3 && Ssse3.IsSupported && taken.Length >= filter.HighPairs(x).Length * 6 + 2)
                MixPixels(taken, filter.HighPairs(x), filter.LowPairs(x), to.Slice(x * 3, 3));
            else MixValues(taken, filter.Weights(x), to.Slice(x * channels, channels));
        }
    }

    // Whole numbers of 22 bits times bytes, as products of 16 bits of which neighbors are added: upper and lower bits by themselves.
    static void MixPixels(ReadOnlySpan<byte> from, ReadOnlySpan<int> high, ReadOnlySpan<int> low, Span<byte> to)
    {
        ref var start = ref MemoryMarshal.GetReference(from);
        var (upper, lower) = (Vector128<int>.Zero, Vector128.Create(ScalingFilter.Half));
        for (var i = 0; i < high.Length; i++)
        {
            var two = Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i * 6))).AsByte();
            var pairs = Ssse3.Shuffle(
                two, Vector128.Create((byte)0, none, 3, none, 1, none, 4, none, 2, none, 5, none, none, none, none, none)).AsInt16();
            upper += Sse2.MultiplyAddAdjacent(pairs, Vector128.Create(high[i]).AsInt16());
            lower += Sse2.MultiplyAddAdjacent(pairs, Vector128.Create(low[i]).AsInt16());
        }
        var sums = (upper << ScalingFilter.LowBits) + lower >> ScalingFilter.Bits;
        var words = Sse2.PackSignedSaturate(sums, sums);
        var pixel = Sse2.PackUnsignedSaturate(words, words).AsUInt32().ToScalar();
        (to[0], to[1], to[2]) = ((byte)pixel, (byte)(pixel >> 8), (byte)(pixel >> 16));
    }

    static void MixValues(ReadOnlySpan<byte> from, ReadOnlySpan<int> weights, Span<byte> to, int first = 0)
    {
        for (var c = first; c < to.Length; c++)
        {
            var sum = ScalingFilter.Half;
            for (var i = 0; i < weights.Length; i++) sum += from[i * to.Length + c] * weights[i];
            to[c] = (byte)Math.Clamp(sum >> ScalingFilter.Bits, 0, 255);
        }
    }

    // Rows follow one another in memory, each as long as the result.
    static void MixRows(ReadOnlySpan<byte> rows, Span<byte> to, ScalingFilter filter, int place)
    {
        var weights = filter.Weights(place);
        var x = 0;
        for (; Avx2.IsSupported && x + Vector128<byte>.Count <= to.Length; x += Vector128<byte>.Count)
            MixSixteen(rows[x..], to.Length, weights.Length, filter.HighPairs(place), filter.LowPairs(place), to[x..]);
        MixValues(rows, weights, to, x);
    }

    // As MixPixels, with two rows for two pixels.
    static void MixSixteen(
        ReadOnlySpan<byte> from, int stride, int count, ReadOnlySpan<int> high, ReadOnlySpan<int> low, Span<byte> to)
    {
        ref var start = ref MemoryMarshal.GetReference(from);
        Vector256<int> upper = default, upperNext = default, lower = Vector256.Create(ScalingFilter.Half), lowerNext = lower;
        for (var i = 0; i < high.Length; i++)
        {
            var one = Vector128.LoadUnsafe(ref start, (nuint)(2 * i * stride));
            // Without a second row its weight is 0.
            var other = 2 * i + 1 < count ? Vector128.LoadUnsafe(ref start, (nuint)((2 * i + 1) * stride)) : one;
            var first = Avx2.ConvertToVector256Int16(Sse2.UnpackLow(one, other));
            var second = Avx2.ConvertToVector256Int16(Sse2.UnpackHigh(one, other));
            var (above, below) = (Vector256.Create(high[i]).AsInt16(), Vector256.Create(low[i]).AsInt16());
            upper += Avx2.MultiplyAddAdjacent(first, above);
            upperNext += Avx2.MultiplyAddAdjacent(second, above);
            lower += Avx2.MultiplyAddAdjacent(first, below);
            lowerNext += Avx2.MultiplyAddAdjacent(second, below);
        }
        var words = Avx2.PackSignedSaturate(
            (upper << ScalingFilter.LowBits) + lower >> ScalingFilter.Bits,
            (upperNext << ScalingFilter.LowBits) + lowerNext >> ScalingFilter.Bits);
        var ordered = Avx2.Permute4x64(words.AsInt64(), 0b11_01_10_00).AsInt16();
        Sse2.PackUnsignedSaturate(ordered.GetLower(), ordered.GetUpper()).StoreUnsafe(ref MemoryMarshal.GetReference(to));
    }
}
