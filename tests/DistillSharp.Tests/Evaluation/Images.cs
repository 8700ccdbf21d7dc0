using DistillSharp.Data;

namespace DistillSharp.Tests.Evaluation;

/// <summary>Images made for tests.</summary>
static class Images
{
    /// <summary>Noise of 32x32; labels go round the classes.</summary>
    public static ImageSet Random(int count, int classes, int seed = 1)
    {
        var pixels = new byte[count * 32 * 32 * 3];
        new Random(seed).NextBytes(pixels);
        return new(
            pixels, 32, 32, 3, [.. Enumerable.Range(0, count).Select(i => i % classes)],
            [.. Enumerable.Range(0, classes).Select(k => $"class {k}")]);
    }
}
