using DistillSharp.Data;
using FsCheck;
using FsCheck.Fluent;

namespace DistillSharp.Tests.Data;

public class NormalizationTests
{
    static readonly float[] mean = [.5071f, .4867f, .4408f];
    static readonly float[] std = [.2675f, .2565f, .2761f];

    [Fact]
    public void Apply_AgreesWithTheDefinition_ToTheLastBit()
    {
        // Every byte value in every channel, then lengths that leave a rest behind the vectors.
        var every = Enumerable.Range(0, 256 * 3).Select(i => (byte)(i / 3)).ToArray();
        foreach (var pixels in Enumerable.Range(1, 40).Select(n => SmallFiles.Bytes(3 * n, n)).Prepend(every))
        {
            var values = new float[pixels.Length];
            new Normalization(mean, std).Apply(pixels, values);
            Assert.Equal(SlowReference.Normalize(pixels, mean, std), values);
        }
    }

    [Fact]
    public void Apply_AgreesForAnyNumberOfChannels()
    {
        var law = Prop.ForAll<PositiveInt, PositiveInt, int>((channels, count, seed) =>
        {
            var c = 1 + channels.Get % 7;
            var random = new Random(seed);
            float[] means = [.. Enumerable.Range(0, c).Select(_ => random.NextSingle())], deviations = [.. means.Select(m => m + .01f)];
            var pixels = SmallFiles.Bytes(c * (count.Get % 50), seed);
            var values = new float[pixels.Length];
            new Normalization(means, deviations).Apply(pixels, values);
            return values.SequenceEqual(SlowReference.Normalize(pixels, means, deviations));
        });
        law.QuickCheckThrowOnFailure();
    }

    [Fact]
    public void ImpossibleNumbers_AreRefused()
    {
        Assert.Contains("2 means and 3 standard deviations", Assert.Throws<UsageException>(() => new Normalization([0, 0], std)).Message);
        Assert.Throws<UsageException>(() => new Normalization([], []));
        Assert.Contains("channel 1 is 0", Assert.Throws<UsageException>(() => new Normalization(mean, [1, 0, 1])).Message);
        Assert.Throws<UsageException>(() => new Normalization(mean, [1, float.NaN, 1]));
        Assert.Contains("mean of channel 2 is NaN", Assert.Throws<UsageException>(() => new Normalization([0, 0, float.NaN], std)).Message);
    }
}
