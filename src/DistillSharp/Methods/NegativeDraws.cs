namespace DistillSharp.Methods;

/// <summary>What a sample is never contrasted with.</summary>
public enum NegativeSampling
{
    /// <summary>Its own class: all negatives are of other classes.</summary>
    Exact,
    /// <summary>Only itself.</summary>
    Relax,
}

/// <summary>
/// Draws samples to contrast a sample with. The draws are a pure function of (seed, epoch, sample), so that neither the order of
/// the samples nor a resumption changes them, and need no table: they walk along a permutation of the data set that is computed
/// from a key (a Feistel network; values outside the set are sent through it again) and pass by what is excluded. So no
/// negative comes twice before all have come once.
/// </summary>
sealed class NegativeDraws(ReadOnlyMemory<int> labels, NegativeSampling sampling, ulong seed)
{
    const int Rounds = 6;
    readonly int lowBits = BitsFor(labels.Length) / 2;
    readonly int highBits = BitsFor(labels.Length) - BitsFor(labels.Length) / 2;

    /// <summary>Whether every sample has something to be contrasted with.</summary>
    public bool Possible => labels.Length > 1 && (sampling == NegativeSampling.Relax || labels.Span.ContainsAnyExcept(labels.Span[0]));

    /// <summary>Fills a row with negatives of a sample.</summary>
    public void Fill(Span<long> negatives, long sample, int epoch)
    {
        var known = labels.Span;
        var own = known[(int)sample];
        var key = KeyedRandom.For(KeyedRandom.Purpose.Negatives, (long)seed, epoch)[(int)sample];
        var filled = 0;
        for (ulong pass = 0; filled < negatives.Length; pass++)
        {
            var order = key + pass * 0x9E3779B97F4A7C15;
            for (var place = 0; place < known.Length && filled < negatives.Length; place++)
            {
                var other = At(place, order);
                if (sampling == NegativeSampling.Exact ? known[other] != own : other != sample) negatives[filled++] = other;
            }
        }
    }

    // The permutation of 0..count-1 of that key. The two halves of the bits change places each round.
    int At(int place, ulong key)
    {
        var value = (uint)place;
        do
        {
            var (low, high) = (lowBits, highBits);
            for (var round = 0; round < Rounds; round++)
            {
                var right = value & ((1u << low) - 1);
                var left = value >> low;
                // The round's numbers: a multiplicative hash of the half, its top bits the best mixed.
                var mixed = (right + 1 + key + (ulong)round * 0xD1B54A32D192ED03) * 0x9E3779B97F4A7C15;
                mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93;
                left ^= (uint)(mixed >> 40) & ((1u << high) - 1);
                value = (right << high) | left;
                (low, high) = (high, low);
            }
        }
        while (value >= (uint)labels.Length);
        return (int)value;
    }

    static int BitsFor(int count) => Math.Max(2, 32 - int.LeadingZeroCount(Math.Max(1, count - 1)));
}
