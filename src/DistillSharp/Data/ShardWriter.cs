using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>Writes a folder of photographs as WebDataset's shards.</summary>
public static class ShardWriter
{
    const int Block = 512, MaxName = 99;

    /// <summary>
    /// Writes <c>train-000000.tar</c>, <c>val-000000.tar</c> and so on, each image as <c>KEY.EXTENSION</c> with its file's bytes and
    /// <c>KEY.cls</c> with its class's number, in the folder's order; and <c>classes.txt</c>, the classes' names.
    /// </summary>
    /// <param name="root">Holds train/ and val/.</param>
    /// <param name="destination">A folder that does not exist yet, or is empty.</param>
    /// <param name="options">How the folder is read.</param>
    /// <param name="perShard">Images of one shard.</param>
    /// <param name="progress">Hears of each image that was written.</param>
    /// <returns>The shards' paths.</returns>
    /// <exception cref="UserException">The folder cannot be read, or the destination not written or is not empty.</exception>
    public static IReadOnlyList<string> Write(
        string root, string destination, ReadOptions options, int perShard, IProgress<WorkProgress>? progress = null)
    {
        if (Directory.Exists(destination) && Directory.EnumerateFileSystemEntries(destination).Any())
            throw new UserException($"'{destination}' is not empty; name a folder that does not exist yet");
        var (train, test) = ImageFolder.Read(root, options with { Progress = progress });
        Directory.CreateDirectory(destination);
        var (shards, total, done) = (new List<string>(), train.Count + test.Count, 0);
        foreach (var (part, set) in new[] { ("train", (PhotographSet)train), ("val", (PhotographSet)test) })
            for (var start = 0; start < set.Count; start += perShard)
            {
                var shard = Path.Combine(destination, string.Create(CultureInfo.InvariantCulture, $"{part}-{start / perShard:000000}.tar"));
                AtomicFile.Write(shard, to => Write(to, set, start, Math.Min(set.Count, start + perShard),
                    () => progress?.Report(new("writing images", ++done, total))));
                shards.Add(shard);
            }
        AtomicFile.Write(Path.Combine(destination, Shards.ClassList), Encoding.UTF8.GetBytes(string.Join('\n', train.ClassNames) + "\n"));
        return shards;
    }

    static void Write(Stream to, PhotographSet set, int from, int end, Action written)
    {
        for (var index = from; index < end; index++)
        {
            // The number keeps keys apart and in order; the file's own name says where it came from.
            var file = Path.GetFileName(set.FileName(index));
            var extension = Path.GetExtension(file).ToLowerInvariant();
            var letters = Path.GetFileNameWithoutExtension(file).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '_');
            var key = string.Create(CultureInfo.InvariantCulture, $"{index:00000000}_{string.Concat(letters)}");
            key = key[..Math.Min(key.Length, MaxName - 5)];
            using (var content = set.OpenFile(index)) Entry(to, key + extension, content.Span);
            Entry(to, key + ".cls", Encoding.ASCII.GetBytes(set.Labels[index].ToString(CultureInfo.InvariantCulture)));
            written();
        }
        to.Write(new byte[2 * Block]);
    }

    // A ustar header: the same bytes for the same images, with no date and no owner.
    static void Entry(Stream to, string name, ReadOnlySpan<byte> content)
    {
        var header = new byte[Block];
        Encoding.ASCII.GetBytes(name, header);
        Octal(header.AsSpan(100, 8), 0b110_100_100);
        Octal(header.AsSpan(108, 8), 0);
        Octal(header.AsSpan(116, 8), 0);
        Octal(header.AsSpan(124, 12), content.Length);
        Octal(header.AsSpan(136, 12), 0);
        header.AsSpan(148, 8).Fill((byte)' ');
        header[156] = (byte)'0';
        "ustar\000"u8.CopyTo(header.AsSpan(257));
        Octal(header.AsSpan(148, 7), header.Sum(value => value));
        to.Write(header);
        to.Write(content);
        to.Write(new byte[(Block - content.Length % Block) % Block]);
    }

    static void Octal(Span<byte> field, long value) =>
        Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(field.Length - 1, '0'), field);
}
