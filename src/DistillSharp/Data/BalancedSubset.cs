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
        var byClass = labels.ToArray().Index().ToLookup(image => image.Item, image => image.Index);
        var candidates = Enumerable.Range(0, classes).SelectMany(c => byClass[c].OrderBy(index => random[index]).ThenBy(index => index)
            .Select((index, turn) => (Turn: turn, Class: c, Index: index)));
        return [.. candidates.Order().Take(limit).Select(candidate => candidate.Index).Order()];
    }
}
