using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistillSharp.Data;

/// <summary>Where a photograph lies.</summary>
/// <param name="Container">The folder or shard that holds it, by its number.</param>
/// <param name="Offset">Where in a shard its content begins; 0 for a file.</param>
/// <param name="Length">Bytes of content.</param>
/// <param name="Label">Its class.</param>
/// <param name="Name">Its name within the container.</param>
readonly record struct PhotographEntry(int Container, long Offset, int Length, int Label, string Name);

/// <summary>A folder or file that holds photographs, as it was when they were looked through.</summary>
/// <param name="Path">Where it is, absolute or from the set's folder.</param>
/// <param name="Length">Bytes of the file; -1 for a folder.</param>
/// <param name="Modified">When it was last changed, in ticks.</param>
sealed record PhotographContainer(string Path, long Length, long Modified)
{
    [JsonIgnore]
    public bool IsFolder => Length < 0;

    /// <summary>How a folder or file is now.</summary>
    public static PhotographContainer Of(string root, string path)
    {
        var full = System.IO.Path.Combine(root, path);
        return File.Exists(full) ? new(path, new FileInfo(full).Length, File.GetLastWriteTimeUtc(full).Ticks)
            : new(path, -1, Directory.Exists(full) ? Directory.GetLastWriteTimeUtc(full).Ticks : 0);
    }
}

/// <summary>What was found beside the photographs themselves.</summary>
sealed record PhotographFindings
{
    /// <summary>What holds the photographs: folders and shards.</summary>
    public List<PhotographContainer> Containers { get; init; } = [];

    /// <summary>The names of the classes, sorted; empty where nothing says them.</summary>
    public List<string> Classes { get; init; } = [];

    /// <summary>What was not taken, and how many of each.</summary>
    public SortedDictionary<string, int> LeftOut { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What is not what its name says, and how many of each.</summary>
    public SortedDictionary<string, int> Misnamed { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What cannot be read, and why.</summary>
    public List<DamagedPhotograph> Damaged { get; init; } = [];

    /// <summary>The classes without any photograph.</summary>
    public List<string> Empty { get; init; } = [];

    /// <summary>What a data set says of them.</summary>
    /// <param name="damaged">What cannot be read, by its full name.</param>
    public PhotographNotes Notes(IReadOnlyList<DamagedPhotograph> damaged) => new(
        [.. Counted(LeftOut), .. damaged.Count == 0 ? [] : new[] { $"{damaged.Count:N0} damaged" }], [.. Counted(Misnamed)], damaged);

    /// <summary>Counts one more of a kind.</summary>
    public static void Count(SortedDictionary<string, int> kinds, string kind) => kinds[kind] = kinds.GetValueOrDefault(kind) + 1;

    /// <summary>Kinds as a sentence lists them.</summary>
    public static IEnumerable<string> Counted(SortedDictionary<string, int> kinds) => kinds.Select(kind => $"{kind.Value:N0} {kind.Key}");
}

/// <summary>
/// Where each of many photographs lies, in a file of which no more is in memory than is looked at; that of a small set is in memory as a
/// whole. It is the end of a file: entries one after the other, the place of each, the findings as JSON, and where these begin.
/// </summary>
sealed class PhotographIndex
{
    internal const int RecordLength = 8 + 4 * 4, TrailerLength = 8 * 3;
    internal static ReadOnlySpan<byte> Magic => "DSPHOTO1"u8;
    const int MaxName = 1 << 16;

    readonly Func<long, int, byte[]> read;
    readonly string name;
    readonly long table;

    PhotographIndex(Func<long, int, byte[]> read, long length, string name)
    {
        (this.read, this.name) = (read, name);
        if (length < TrailerLength) throw Damaged();
        var trailer = read(length - TrailerLength, TrailerLength);
        (table, var count) = (BinaryPrimitives.ReadInt64LittleEndian(trailer), BinaryPrimitives.ReadInt64LittleEndian(trailer.AsSpan(8)));
        var json = length - TrailerLength - table - count * 8;
        if (!trailer.AsSpan(16).SequenceEqual(Magic) || table < 0 || count is < 0 or > int.MaxValue || json is < 2 or > int.MaxValue)
            throw Damaged();
        Count = (int)count;
        try
        {
            Findings = JsonSerializer.Deserialize<PhotographFindings>(read(table + count * 8, (int)json)) ?? throw Damaged();
        }
        catch (JsonException e)
        {
            throw new UserException($"'{name}' is damaged: what its index found is no JSON", e);
        }
    }

    public int Count { get; }

    /// <summary>What else was found.</summary>
    public PhotographFindings Findings { get; }

    /// <summary>Opens the index at the end of a file.</summary>
    /// <exception cref="UserException">It has none, or a damaged one.</exception>
    public static PhotographIndex Open(string path) => Open(MappedFile.Open(path));

    /// <inheritdoc cref="Open(string)"/>
    public static PhotographIndex Open(MappedFile file) => new(file.Read, file.Length, file.Path);

    /// <summary>An index that was written into memory.</summary>
    public static PhotographIndex Over(MemoryStream written)
    {
        var bytes = written.ToArray();
        return new((at, count) => bytes.AsSpan((int)at, count).ToArray(), written.Length, "an index");
    }

    public int[] Labels() => Column(16);

    /// <summary>The number of each photograph's container.</summary>
    public int[] ContainerNumbers() => Column(12);

    int[] Column(int at)
    {
        var column = new int[Count];
        const int block = 1 << 16;
        // Entries lie one after the other, so that they are read in large pieces.
        for (var from = 0; from < Count; from += block)
        {
            var places = Places(from, Math.Min(block, Count - from));
            var content = read(places[0], (int)(places[^1] - places[0]) + RecordLength);
            for (var i = 0; i < places.Length; i++)
                column[from + i] = BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan((int)(places[i] - places[0]) + at));
        }
        return column;
    }

    /// <summary>Where a photograph lies.</summary>
    public PhotographEntry this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            var place = BinaryPrimitives.ReadInt64LittleEndian(read(table + index * 8L, 8));
            var record = read(place, RecordLength).AsSpan();
            var length = BinaryPrimitives.ReadInt32LittleEndian(record[20..]);
            if (length is < 0 or > MaxName) throw Damaged();
            return new(
                BinaryPrimitives.ReadInt32LittleEndian(record[12..]), BinaryPrimitives.ReadInt64LittleEndian(record),
                BinaryPrimitives.ReadInt32LittleEndian(record[8..]), BinaryPrimitives.ReadInt32LittleEndian(record[16..]),
                Encoding.UTF8.GetString(read(place + RecordLength, length)));
        }
    }

    long[] Places(int from, int count)
    {
        var bytes = read(table + from * 8L, count * 8);
        var places = new long[count];
        for (var i = 0; i < count; i++)
        {
            places[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(i * 8));
            if (places[i] < 0 || places[i] - places[0] > int.MaxValue - RecordLength
                || (i > 0 && places[i] < places[i - 1] + RecordLength)) throw Damaged();
        }
        return places;
    }

    UserException Damaged() => new($"'{name}' is damaged: it has no whole index at its end");
}
