using System.IO.Compression;
using System.IO.Hashing;

namespace DistillSharp.Formats.Files;

/// <summary>
/// The files in a zip archive, read whole and checked: what one unpacks to is charged before it is unpacked, so that a
/// small archive cannot unpack to a large one, and its checksum must agree.
/// </summary>
internal sealed class ZipRecords : IDisposable
{
    readonly string file;
    readonly AllocationBudget budget;
    readonly ZipArchive archive;
    readonly Dictionary<string, ZipArchiveEntry> entries;

    public ZipRecords(Stream stream, string file, AllocationBudget budget)
    {
        (this.file, this.budget) = (file, budget);
        archive = Guarded("its directory", () => new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true));
        entries = archive.OrDispose(opened =>
        {
            var found = Guarded("its directory", () => opened.Entries).GroupBy(entry => entry.FullName).ToList();
            if (found.Find(same => same.Count() > 1) is { Key: var twice }) throw Fail($"it holds '{ShownText.Of(twice)}' twice");
            return found.ToDictionary(entry => entry.Key, entry => entry.Single());
        });
    }

    /// <summary>The files' names, folders included in them.</summary>
    public IEnumerable<string> Names => entries.Keys;

    public bool Has(string name) => entries.ContainsKey(name);

    /// <summary>A file's bytes, unpacked.</summary>
    /// <exception cref="UserException">It is not there, is damaged, or unpacks to too much.</exception>
    public ReadOnlyMemory<byte> Read(string name)
    {
        if (!entries.TryGetValue(name, out var entry))
            throw Fail($"it lacks '{ShownText.Of(name)}'; the archive is damaged or no PyTorch file");
        if (entry.Length > Array.MaxLength) throw Fail($"'{ShownText.Of(name)}' in it is larger than 2 GiB, which is not supported");
        if (entry.IsEncrypted) throw Fail("it is encrypted");
        budget.Charge(entry.Length);
        return Guarded($"'{ShownText.Of(name)}' in it", () => Unpack(entry));
    }

    byte[] Unpack(ZipArchiveEntry entry)
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)entry.Length);
        using var content = entry.Open();
        content.ReadExactly(bytes);
        if (content.ReadByte() >= 0) throw new InvalidDataException("it is longer than the archive's directory says");
        // PyTorch can be told to save without computing checksums; it then writes 0.
        if (entry.Crc32 != 0 && Crc32.HashToUInt32(bytes) != entry.Crc32) throw new InvalidDataException("its checksum does not agree");
        return bytes;
    }

    /// <summary>Turns what the framework throws over a damaged archive into one kind of error.</summary>
    T Guarded<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (
            e is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentException or OverflowException)
        {
            throw new UserException(
                $"{file}: the zip archive is damaged or cut short: {what} cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }

    UserException Fail(string what) => new($"{file}: {what}.");

    public void Dispose() => archive.Dispose();
}
