namespace DistillSharp.Data;

/// <summary>The order in which an epoch shows the images: a pure function of seed and epoch.</summary>
public static class EpochOrder
{
    /// <summary>A permutation of 0..<paramref name="count"/>-1 (Fisher and Yates).</summary>
    public static int[] Shuffled(int count, long seed, int epoch)
    {
        var random = KeyedRandom.For(KeyedRandom.Purpose.Order, seed, epoch);
        var order = InOrder(count);
        for (var i = count - 1; i > 0; i--)
        {
            var other = random.Below(i + 1, i);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    /// <summary>0..<paramref name="count"/>-1 as they stand.</summary>
    public static int[] InOrder(int count) => [.. Enumerable.Range(0, count)];
}
