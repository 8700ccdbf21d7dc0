using DistillSharp.Formats.Pickle;

namespace DistillSharp.Data;

/// <summary>
/// The python version of CIFAR: pickled dicts with <c>data</c>, a numpy array [N, 3 * 32 * 32] of planes, and lists of labels.
/// </summary>
static class CifarPython
{
    /// <summary>Reads the files that make up a set; the key is <c>labels</c>, <c>fine_labels</c> or <c>coarse_labels</c>.</summary>
    /// <exception cref="UserException">A file is damaged or not what it should be, or a label names no class.</exception>
    public static ImageSet Read(IReadOnlyList<(byte[] Content, string Where)> parts, string labelKey, IReadOnlyList<string> names)
    {
        var parsed = parts.Select(part => Part(part.Content, part.Where, labelKey)).ToList();
        var images = new CifarImages(parsed.Sum(part => part.Labels.Length), names);
        foreach (var (pixels, labels, where) in parsed)
            for (var i = 0; i < labels.Length; i++)
                images.Add(pixels.Span.Slice(i * CifarImages.ImageBytes, CifarImages.ImageBytes), labels[i], where, i);
        return images.ToImageSet();
    }

    /// <summary>The class names in a meta file.</summary>
    public static IReadOnlyList<string> Names(DataFiles files, string file, string key)
    {
        var where = files.Where(file);
        if (!Dict(files.Take(file), where).TryGet(key, out IReadOnlyList<object?>? items) || items.Count == 0)
            throw new UserException($"'{where}' has no list '{key}' of class names: it is no meta file of CIFAR");
        return [.. items.Select(item => PickleValues.TryText(item, out var name) ? name
            : throw new UserException($"'{where}': '{key}' holds {PickleValues.Describe(item)} where a class name is expected"))];
    }

    static (ReadOnlyMemory<byte> Pixels, long[] Labels, string Where) Part(byte[] content, string where, string labelKey)
    {
        var dict = Dict(content, where);
        if (!dict.TryGet("data", out PickledArray? data))
            throw new UserException($"'{where}' has no array 'data': it is no batch of CIFAR (it holds {Held(dict)})");
        if (data.Type?.Element != DType.UInt8 || data.Shape is not [var count, CifarImages.ImageBytes] || count == 0)
            throw new UserException($"'{where}': 'data' should be an array of unsigned bytes, [images, {CifarImages.ImageBytes}], not "
                + $"{data.Type?.Code} [{string.Join(", ", data.Shape)}]");
        if (!dict.TryGet(labelKey, out object? list) || !PickleValues.TryIntegers(list, out var labels))
            throw new UserException($"'{where}' has no list of integers '{labelKey}' (it holds {Held(dict)})");
        if (labels.Length != count) throw new UserException($"'{where}' holds {count} images, but {labels.Length} labels");
        return (data.ColumnMajor ? Transposed(data.Data.Span, (int)count) : data.Data, labels, where);
    }

    static byte[] Transposed(ReadOnlySpan<byte> columns, int count)
    {
        var rows = new byte[columns.Length];
        for (var column = 0; column < CifarImages.ImageBytes; column++)
            for (var row = 0; row < count; row++)
                rows[row * CifarImages.ImageBytes + column] = columns[column * count + row];
        return rows;
    }

    static PickleDict Dict(byte[] content, string where)
    {
        var read = PickleReader.Read(content, where, NumpyGlobals.WithPython);
        return read as PickleDict
            ?? throw new UserException($"'{where}' holds {PickleValues.Describe(read)} where a dict is needed: it is no file of CIFAR");
    }

    static string Held(PickleDict dict) => dict.Count == 0 ? "nothing" : string.Join(", ", dict.TextKeys.Take(10));
}
