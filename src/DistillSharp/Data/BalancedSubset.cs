namespace DistillSharp.Data;

/// <summary>Chooses a few images of every class.</summary>
static class BalancedSubset
{
    /// <summary>
    /// Within each class the images stand in an order drawn from the seed; the classes then take turns until
    /// <paramref name="limit"/> images are chosen. A larger limit keeps every image of a smaller one.
    /// </summary>
    /// <returns>Ascending positions.</returns>
    public static int[] Choose(ReadOnlySpan<int> labels, int classes, int limit, long seed)
    {
        var random = KeyedRandom.For(KeyedRandom.Purpose.Subset, seed);
        var byClass = new List<(ulong Key, int Index)>[classes];
        for (var i = 0; i < labels.Length; i++)
            (byClass[labels[i]] ??= []).Add((random[i], i));

        var candidates = new List<(int Turn, int Class, int Index)>(labels.Length);
        for (var c = 0; c < classes; c++)
        {
            if (byClass[c] is not { } members) continue;
            members.Sort();
            for (var turn = 0; turn < members.Count; turn++)
                candidates.Add((turn, c, members[turn].Index));
        }
        candidates.Sort();
        return [.. candidates.Take(limit).Select(candidate => candidate.Index).Order()];
    }
}
