using DistillSharp.Data;
using FsCheck;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Data;

public class ImageSetTests
{
    static ImageSet Set(int[] labels, int classes) =>
        new([.. labels.SelectMany((label, i) => new[] { (byte)label, (byte)i })], 1, 2, 1, labels,
            [.. Enumerable.Range(0, classes).Select(c => $"c{c}")]);

    [Fact]
    public void Image_GivesTheBytesOfOneImage()
    {
        var set = Set([2, 0, 1], 3);
        Assert.Equal((3, 1, 2, 1), (set.Count, set.Height, set.Width, set.Channels));
        Assert.Equal([1, 2], set.Image(2).Pixels.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => { set.Image(3); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { set.Image(-1); });
    }

    [Fact]
    public void WhatDoesNotFitTogether_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new ImageSet(new byte[5], 1, 2, 1, [0, 0], ["a"]));
        Assert.Throws<ArgumentException>(() => new ImageSet([], 1, 2, 1, [], ["a"]));
        Assert.Throws<ArgumentException>(() => new ImageSet(new byte[2], 1, 2, 1, [1], ["a"]));
        Assert.Throws<ArgumentException>(() => new ImageSet(new byte[2], 1, 2, 1, [-1], ["a"]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageSet([], 0, 2, 1, [0], ["a"]));
    }

    [Fact]
    public void Subset_IsBalancedDeterministicAndGrowsByAdding()
    {
        var law = Prop.ForAll<NonEmptyArray<byte>, PositiveInt, long>((classes, limit, seed) =>
        {
            int[] labels = [.. classes.Get.Select(c => c % 5)];
            var set = Set(labels, 5);
            var part = set.Subset(limit.Get, seed);
            var larger = set.Subset(limit.Get + 1, seed);
            var counts = Enumerable.Range(0, 5).Select(c => part.Labels.ToArray().Count(label => label == c)).ToArray();
            var available = Enumerable.Range(0, 5).Select(c => labels.Count(label => label == c)).ToArray();
            var fullest = counts.Max();
            return part.Count == Math.Min(limit.Get, set.Count)
                && Enumerable.Range(0, 5).All(c => counts[c] == available[c] || counts[c] >= fullest - 1)
                && part.Pixels.SequenceEqual(set.Subset(limit.Get, seed).Pixels)
                && Ids(part).IsSubsetOf(Ids(larger))
                && Enumerable.Range(0, part.Count).All(i => part.Image(i).Pixels[0] == part.Labels[i]);
        });
        law.QuickCheckThrowOnFailure();

        static HashSet<byte> Ids(ImageSet set) => [.. Enumerable.Range(0, set.Count).Select(i => set.Image(i).Pixels[1])];
    }

    [Fact]
    public void Subset_DependsOnTheSeedAndKeepsTheOldOrder()
    {
        var set = Set([.. Enumerable.Range(0, 200).Select(i => i % 2)], 2);
        Assert.False(set.Subset(20, seed: 1).Pixels.SequenceEqual(set.Subset(20, seed: 2).Pixels));
        var ids = Enumerable.Range(0, 20).Select(i => set.Subset(20, seed: 1).Image(i).Pixels[1]).ToArray();
        Assert.Equal(ids.Order(), ids);
        Assert.Same(set, set.Subset(200));
        Assert.Contains("leaves none", Assert.Throws<UsageException>(() => set.Subset(0)).Message);
    }
}
