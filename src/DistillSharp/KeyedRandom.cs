namespace DistillSharp;

/// <summary>
/// Random numbers as a pure function of a key and a counter: number k does not depend on who asked for which number before.
/// The mixing step is splitmix64's (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
/// </summary>
public readonly struct KeyedRandom
{
    const ulong Golden = 0x9E3779B97F4A7C15;
    readonly ulong key;

    internal KeyedRandom(ulong key) => this.key = key;

    /// <summary>What the numbers are for; each purpose has numbers of its own.</summary>
    public enum Purpose
    {
        /// <summary>The order of an epoch.</summary>
        Order = 1,
        /// <summary>Crop and flip.</summary>
        Augmentation = 2,
        /// <summary>The choice of a part of the images.</summary>
        Subset = 3,
        /// <summary>The samples that another is contrasted with.</summary>
        Negatives = 4,
        /// <summary>Where the points of a map begin.</summary>
        Embedding = 5,
        /// <summary>Which image is mixed into which, and how.</summary>
        Mixing = 6,
        /// <summary>What happens to the second view of an image.</summary>
        SecondView = 7,
    }

    /// <summary>The numbers for a purpose, a seed and (where it matters) an epoch.</summary>
    public static KeyedRandom For(Purpose purpose, long seed, int epoch = 0) =>
        new(Mix(Mix(Mix((ulong)purpose * Golden) ^ (ulong)seed) + (ulong)epoch * Golden));

    /// <summary>Number <paramref name="counter"/>: 64 random bits.</summary>
    public ulong this[int counter] => Mix(key + ((ulong)counter + 1) * Golden);

    /// <summary>The numbers of those counters, int64 of any shape, where they lie: the same bits.</summary>
    internal Tensor At(Tensor counters) => Mix(counters.Plus(1).Times(Golden).Plus(key));

    /// <summary>Number <paramref name="counter"/> as an integer in 0..<paramref name="bound"/>-1. Its bias is below bound / 2^64.</summary>
    public int Below(int bound, int counter) => (int)Math.BigMul(this[counter], (ulong)bound, out _);

    /// <summary>Number <paramref name="counter"/> as one from <paramref name="low"/> to below <paramref name="high"/>.</summary>
    public double Between(double low, double high, int counter) => low + (high - low) * ((this[counter] >> 11) * (1.0 / (1L << 53)));

    /// <summary>Numbers without end that follow from number <paramref name="counter"/> alone.</summary>
    public KeyedRandom Stream(int counter) => new(this[counter]);

    static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    static Tensor Mix(Tensor z)
    {
        z = z.Xor(z.ShiftRight(30)).Times(0xBF58476D1CE4E5B9);
        z = z.Xor(z.ShiftRight(27)).Times(0x94D049BB133111EB);
        return z.Xor(z.ShiftRight(31));
    }
}
