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
/// the samples, nor a resumption, nor the device changes them, and need no table: they walk along a permutation that is computed
/// from a key (a Feistel network) and pass by what is excluded or no sample. So no negative comes twice before all have come once.
/// </summary>
sealed class NegativeDraws(ReadOnlyMemory<int> labels, NegativeSampling sampling, ulong seed) : IDisposable
{
    static readonly Operator cumulate = new("aten::cumsum"), search = new("aten::searchsorted.Tensor"), atMost = new("aten::clamp_max");

    const int Rounds = 6;
    const ulong PassStep = 0x9E3779B97F4A7C15, RoundStep = 0xD1B54A32D192ED03, First = 0x9E3779B97F4A7C15, Second = 0xD6E8FEB86659FD93;
    readonly int lowBits = BitsFor(labels.Length) / 2;
    readonly int highBits = BitsFor(labels.Length) - BitsFor(labels.Length) / 2;
    Tensor? classes;
    int? least;

    // The permutation's numbers, of which the first are samples.
    int Domain => 1 << (lowBits + highBits);

    /// <summary>Whether every sample has something to be contrasted with.</summary>
    public bool Possible => labels.Length > 1 && (sampling == NegativeSampling.Relax || labels.Span.ContainsAnyExcept(labels.Span[0]));

    /// <summary>Fills a row with negatives of a sample.</summary>
    public void Fill(Span<long> negatives, long sample, int epoch)
    {
        var known = labels.Span;
        var own = known[(int)sample];
        var key = Keys(epoch)[(int)sample];
        var (filled, domain) = (0, Domain);
        for (ulong pass = 0; filled < negatives.Length; pass++)
            for (var place = 0; place < domain && filled < negatives.Length; place++)
            {
                var other = At(place, key + pass * PassStep);
                if (other < known.Length && (sampling == NegativeSampling.Exact ? known[other] != own : other != sample))
                    negatives[filled++] = other;
            }
    }

    /// <summary>The same by operators, where the samples lie.</summary>
    /// <param name="samples">int64 [N].</param>
    /// <param name="count">Negatives of each, K.</param>
    /// <param name="epoch">The epoch.</param>
    /// <returns>int64 [N, K].</returns>
    public Tensor Rows(Tensor samples, int count, int epoch)
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        classes ??= Classes().To(samples.Device).Unscoped();
        var (passes, places) = Extent(count);
        var (all, rows) = (samples.Size(0), Math.Max(1, (1L << 24) / (passes * places)));
        return scope.Keep(Tensor.Cat([.. Enumerable.Range(0, (int)((all + rows - 1) / rows))
            .Select(part => Piece(samples.Narrow(0, part * rows, Math.Min(rows, all - part * rows)).Unsqueeze(1)))]));

        Tensor Piece(Tensor own)
        {
            using var inner = TensorScope.Open();
            var keys = Keys(epoch).At(own);
            var walk = Tensor.Cat([.. Enumerable.Range(0, passes).Select(pass => Walk(keys.Plus((ulong)pass * PassStep), places))], 1);
            var met = classes!.IndexSelect(0, walk.Flatten()).Reshape(walk.Size(0), -1);
            var refused = sampling == NegativeSampling.Exact
                ? met.EqualTo(classes.IndexSelect(0, own.Flatten()).Unsqueeze(1)) : walk.EqualTo(own);
            // The k-th negative stands where the first k places end that are not passed by.
            var isSample = met.GreaterThan(-1).To(DType.Int64);
            var taken = cumulate.Call(isSample.MaskedFill(refused, 0), 1L, Argument.None);
            var wanted = Tensor.Range(1, count + 1, device: own.Device).Expand(own.Size(0), count).Contiguous();
            return inner.Keep(walk.Gather(1, atMost.Call(search.Call(taken, wanted), walk.Size(1) - 1)));
        }
    }

    // How often the permutation is walked along, and how far: to its end, or where the first part does, so far that twelve standard
    // deviations more of it would have to be passed by than are to be expected.
    (int Passes, long Places) Extent(int count)
    {
        var fewest = least ??= labels.Length
            - (sampling == NegativeSampling.Relax ? 1 : labels.ToArray().CountBy(label => label).Max(entry => entry.Value));
        var passes = (count + fewest - 1) / fewest;
        var share = (double)fewest / Domain;
        return (passes, passes > 1 ? Domain : Math.Min(Domain, (long)((count + 12 * Math.Sqrt(count * (1 - share)) + 100) / share)));
    }

    // The class of each number of the permutation; -1 where it is no sample.
    Tensor Classes()
    {
        var all = new long[Domain];
        Array.Fill(all, -1);
        for (var i = 0; i < labels.Length; i++) all[i] = labels.Span[i];
        return Tensor.From(all);
    }

    KeyedRandom Keys(int epoch) => KeyedRandom.For(KeyedRandom.Purpose.Negatives, (long)seed, epoch);

    // The permutation of that key. The two halves of the bits change places each round.
    int At(int place, ulong key)
    {
        var value = (uint)place;
        var (low, high) = (lowBits, highBits);
        for (var round = 0; round < Rounds; round++)
        {
            var right = value & ((1u << low) - 1);
            var left = value >> low;
            // The round's numbers: a multiplicative hash of the half, its top bits the best mixed.
            var mixed = (right + 1 + key + (ulong)round * RoundStep) * First;
            mixed = (mixed ^ (mixed >> 32)) * Second;
            left ^= (uint)(mixed >> 40) & ((1u << high) - 1);
            value = (right << high) | left;
            (low, high) = (high, low);
        }
        return (int)value;
    }

    // The first places of the permutations of those keys, [N, 1]: [N, places].
    Tensor Walk(Tensor keys, long places)
    {
        using var scope = TensorScope.Open();
        var value = Tensor.Range(0, places, device: keys.Device).Expand(keys.Size(0), places);
        var (low, high) = (lowBits, highBits);
        for (var round = 0; round < Rounds; round++)
        {
            var (right, left) = (value.BitAnd((1ul << low) - 1), value.ShiftRight(low));
            // A half has so few values that each is mixed once.
            var mixed = (Tensor.Range(1, (1L << low) + 1, device: keys.Device) + keys).Plus((ulong)round * RoundStep).Times(First);
            mixed = mixed.Xor(mixed.ShiftRight(32)).Times(Second).ShiftRight(40).BitAnd((1ul << high) - 1);
            value = right.Times(1ul << high) + left.Xor(mixed.Gather(1, right));
            (low, high) = (high, low);
        }
        return scope.Keep(value);
    }

    static int BitsFor(int count) => Math.Max(2, 32 - int.LeadingZeroCount(Math.Max(1, count - 1)));

    /// <summary>Frees what lies on a device.</summary>
    public void Dispose() => classes?.Dispose();
}
