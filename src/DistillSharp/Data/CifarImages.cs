namespace DistillSharp.Data;

/// <summary>Gathers CIFAR images, which are stored as three planes, into one image set.</summary>
sealed class CifarImages(int count, IReadOnlyList<string> classNames)
{
    public const int Side = 32, Channels = 3, Plane = Side * Side, ImageBytes = Plane * Channels;

    readonly byte[] pixels = new byte[(long)count * ImageBytes];
    readonly int[] labels = new int[count];
    int next;

    /// <summary>Adds an image, [C, H, W], which stands at a position in a file.</summary>
    /// <exception cref="UserException">There is no such class.</exception>
    public void Add(ReadOnlySpan<byte> planes, long label, string where, int position)
    {
        if ((ulong)label >= (ulong)classNames.Count)
            throw new UserException($"'{where}': image {position} has label {label}, but there are only {classNames.Count} classes "
                + $"(0..{classNames.Count - 1})");
        labels[next] = (int)label;
        var image = pixels.AsSpan(next++ * ImageBytes, ImageBytes);
        for (var i = 0; i < Plane; i++)
            for (var c = 0; c < Channels; c++) image[Channels * i + c] = planes[c * Plane + i];
    }

    public ImageSet ToImageSet() => new(pixels, Side, Side, Channels, labels, classNames);
}
