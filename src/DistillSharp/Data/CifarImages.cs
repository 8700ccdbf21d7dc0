namespace DistillSharp.Data;

/// <summary>Gathers CIFAR images, which are stored as three planes, into one image set.</summary>
sealed class CifarImages(int count, IReadOnlyList<string> classNames)
{
    public const int Side = 32;
    public const int Channels = 3;
    public const int Plane = Side * Side;
    public const int ImageBytes = Plane * Channels;

    readonly byte[] pixels = new byte[(long)count * ImageBytes];
    readonly int[] labels = new int[count];
    int next;

    /// <param name="planes">[C, H, W].</param>
    /// <param name="label">Its class.</param>
    /// <param name="where">The file, for messages.</param>
    /// <param name="position">The image's number in that file, for messages.</param>
    /// <exception cref="UserException">There is no such class.</exception>
    public void Add(ReadOnlySpan<byte> planes, long label, string where, int position)
    {
        if ((ulong)label >= (ulong)classNames.Count)
            throw new UserException($"'{where}': image {position} has label {label}, but there are only {classNames.Count} classes "
                + $"(0..{classNames.Count - 1})");
        labels[next] = (int)label;
        var image = pixels.AsSpan(next * ImageBytes, ImageBytes);
        next++;
        var red = planes[..Plane];
        var green = planes.Slice(Plane, Plane);
        var blue = planes.Slice(2 * Plane, Plane);
        for (var i = 0; i < Plane; i++)
        {
            image[3 * i] = red[i];
            image[3 * i + 1] = green[i];
            image[3 * i + 2] = blue[i];
        }
    }

    public ImageSet ToImageSet() => new(pixels, Side, Side, Channels, labels, classNames);
}
