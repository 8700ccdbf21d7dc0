namespace DistillSharp.Data;

/// <summary>For each of some places of a scaled row, which places of the source it is made of and how much each counts.</summary>
sealed class ScalingFilter
{
    /// <summary>Bits of a weight behind the point.</summary>
    public const int Bits = 22;

    /// <summary>A half, with which sums begin so that they are rounded.</summary>
    public const int Half = 1 << (Bits - 1);

    /// <summary>Bits of a weight that are in <see cref="LowPairs"/>.</summary>
    public const int LowBits = 12;

    readonly int[] first, lengths, weights, high, low;

    ScalingFilter(int count, int reach)
    {
        (first, lengths, weights) = (new int[count], new int[count], new int[count * reach]);
        var pairs = (reach + 1) / 2;
        (high, low) = (new int[count * pairs], new int[count * pairs]);
    }

    public int Count => first.Length;

    /// <summary>Whether each place is one of the source as it is, one after the other.</summary>
    public bool IsCopy { get; private init; }

    /// <summary>The first place of the source that a place is made of.</summary>
    public int First(int place) => first[place];

    /// <summary>The place of the source behind the last.</summary>
    public int End(int place) => first[place] + lengths[place];

    /// <summary>How much each place of the source counts, from the first on.</summary>
    public ReadOnlySpan<int> Weights(int place) => weights.AsSpan(place * (weights.Length / Count), lengths[place]);

    /// <summary>
    /// The upper bits of the weights, two by two: the first's in the lower half of a number, the second's, 0 where there is none, in the
    /// upper. With <see cref="LowPairs"/> they are what instructions that multiply 16 bits and add neighbors take.
    /// </summary>
    public ReadOnlySpan<int> HighPairs(int place) => high.AsSpan(place * (high.Length / Count), (lengths[place] + 1) / 2);

    /// <summary>The lowest <see cref="LowBits"/> bits of the weights, in the same way.</summary>
    public ReadOnlySpan<int> LowPairs(int place) => low.AsSpan(place * (low.Length / Count), (lengths[place] + 1) / 2);

    /// <summary>The weights of a triangle filter, as Pillow computes them.</summary>
    /// <param name="source">Length of the source.</param>
    /// <param name="start">Where in it what is scaled begins.</param>
    /// <param name="length">How long that is.</param>
    /// <param name="scaled">How long it becomes.</param>
    /// <param name="from">The first place that is wanted.</param>
    /// <param name="count">How many are.</param>
    public static ScalingFilter Of(int source, double start, double length, int scaled, int from, int count)
    {
        var scale = length / scaled;
        var reach = Math.Max(scale, 1);
        var copy = start == 0 && length == scaled && source == scaled;
        var filter = new ScalingFilter(count, (int)Math.Ceiling(reach) * 2 + 1) { IsCopy = copy };
        var shares = new double[filter.weights.Length / count];
        for (var place = 0; place < count; place++)
        {
            if (copy) filter.Set(place, from + place, [1]);
            else filter.Set(place, start + (from + place + .5) * scale, reach, source, shares);
        }
        return filter;
    }

    void Set(int place, double center, double reach, int source, Span<double> shares)
    {
        var begin = Math.Max(0, (int)(center - reach + .5));
        var end = Math.Min(source, (int)(center + reach + .5));
        shares = shares[..(end - begin)];
        var sum = 0.0;
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = Math.Max(0, 1 - Math.Abs((i + begin - center + .5) * (1 / reach)));
            sum += shares[i];
        }
        for (var i = 0; i < shares.Length; i++) shares[i] /= sum;
        Set(place, begin, shares);
    }

    void Set(int place, int begin, ReadOnlySpan<double> shares)
    {
        (first[place], lengths[place]) = (begin, shares.Length);
        var into = weights.AsSpan(place * (weights.Length / Count), shares.Length);
        for (var i = 0; i < shares.Length; i++) into[i] = (int)(.5 + shares[i] * (1 << Bits));
        var pair = place * (high.Length / Count);
        for (var i = 0; i < into.Length; i += 2, pair++)
        {
            var (one, other) = (into[i], i + 1 < into.Length ? into[i + 1] : 0);
            high[pair] = one >> LowBits | other >> LowBits << 16;
            low[pair] = one & ((1 << LowBits) - 1) | (other & ((1 << LowBits) - 1)) << 16;
        }
    }
}
