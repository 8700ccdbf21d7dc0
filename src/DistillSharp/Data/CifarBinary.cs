namespace DistillSharp.Data;

/// <summary>
/// The binary version of CIFAR: records without a header, each one label byte (CIFAR-100: coarse, then fine) and 3,072 bytes
/// of pixels, [3, 32, 32].
/// </summary>
static class CifarBinary
{
    /// <summary>Reads files of records that each begin with so many label bytes, of which one is wanted.</summary>
    /// <exception cref="UserException">A file is empty, no whole number of records, or a label names no class.</exception>
    public static ImageSet Read(IReadOnlyList<(byte[] Content, string Where)> parts, int labelBytes, int label, IReadOnlyList<string> names)
    {
        var record = labelBytes + CifarImages.ImageBytes;
        foreach (var (content, where) in parts)
            if (content.Length == 0 || content.Length % record != 0)
                throw new UserException($"'{where}' is cut short or damaged: {content.Length} bytes are "
                    + $"no whole number of records of {record} bytes");

        var images = new CifarImages(parts.Sum(part => part.Content.Length / record), names);
        foreach (var (content, where) in parts)
            for (var (start, position) = (0, 0); start < content.Length; start += record, position++)
                images.Add(content.AsSpan(start + labelBytes, CifarImages.ImageBytes), content[start + label], where, position);
        return images.ToImageSet();
    }

    /// <summary>One class name a line.</summary>
    public static IReadOnlyList<string> Names(DataFiles files, string file)
    {
        var names = Encoding.UTF8.GetString(files.Take(file))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return names.Length > 0 ? names : throw new UserException($"'{files.Where(file)}' is empty; it should hold one class name a line");
    }
}
