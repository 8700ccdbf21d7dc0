using DistillSharp.Data;
using FsCheck;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Data;

public class EpochOrderTests
{
    [Fact]
    public void Shuffled_IsTheSameForEver()
    {
        // Computed by a program of its own: a resumed run depends on these numbers.
        Assert.Equal([8, 4, 5, 3, 9, 1, 2, 7, 6, 0], EpochOrder.Shuffled(10, seed: 1, epoch: 2));
        Assert.Equal([5, 9, 4, 3, 1, 8, 7, 0, 6, 2], EpochOrder.Shuffled(10, seed: -1, epoch: 0));
    }

    [Fact]
    public void Shuffled_IsAPermutationThatOnlySeedAndEpochDecide()
    {
        var law = Prop.ForAll<long, NonNegativeInt, NonNegativeInt>((seed, epoch, count) =>
        {
            var order = EpochOrder.Shuffled(count.Get, seed, epoch.Get);
            return order.Order().SequenceEqual(Enumerable.Range(0, count.Get))
                && order.SequenceEqual(EpochOrder.Shuffled(count.Get, seed, epoch.Get));
        });
        law.QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Shuffled_DiffersBetweenEpochsAndSeeds()
    {
        var orders =
            from seed in new long[] { 0, 1, 2, -1 }
            from epoch in Enumerable.Range(0, 50)
            select string.Join(
                ',', EpochOrder.Shuffled(40, seed, epoch));
        Assert.Equal(200, orders.Distinct().Count());
    }

    [Fact]
    public void Shuffled_PutsEveryImageEverywhereEquallyOften()
    {
        const int count = 8, epochs = 16_000;
        var seen = new int[count, count];
        for (var epoch = 0; epoch < epochs; epoch++)
            foreach (var (place, image) in EpochOrder.Shuffled(count, seed: 9, epoch).Index()) seen[place, image]++;
        // Binomial: mean 2,000, deviation 42; five deviations.
        foreach (var times in seen) Assert.InRange(times, 2000 - 210, 2000 + 210);
    }
}
