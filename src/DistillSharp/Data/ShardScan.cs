using Microsoft.Win32.SafeHandles;

namespace DistillSharp.Data;

/// <summary>What is in one shard.</summary>
sealed class ShardScan
{
    readonly string shard;
    readonly int number;
    string? key;
    (PhotographEntry Entry, string? Trouble)? image;
    (int? Label, string Name)? label;

    ShardScan(string shard, int number) => (this.shard, this.number) = (shard, number);

    /// <summary>The images that have a label, in their order.</summary>
    public List<PhotographEntry> Entries { get; } = [];

    /// <summary>What cannot be read.</summary>
    public List<DamagedPhotograph> Damaged { get; } = [];

    /// <summary>What is no part of a sample.</summary>
    public SortedDictionary<string, int> LeftOut { get; } = new(StringComparer.Ordinal);

    /// <summary>What is not what its name says.</summary>
    public SortedDictionary<string, int> Misnamed { get; } = new(StringComparer.Ordinal);

    /// <summary>Looks through a shard: at every header, label, and each image's beginning and end.</summary>
    /// <exception cref="UserException">It is no tar file.</exception>
    public static ShardScan Of(string shard, int number)
    {
        var scan = new ShardScan(shard, number);
        try
        {
            // Of a photograph no more than its header is read: what is read ahead would be all of the shard.
            using var file = UnpackedFile.Open(shard, ahead: 1 << 12);
            if (file.IsPacked)
                throw new UserException(
                    $"'{shard}' is compressed, so that no image in it can be found without unpacking all before; unpack it with gunzip");
            using var handle = File.OpenHandle(shard);
            foreach (var (name, length) in TarArchive.Entries(file)) scan.Take(name, length, file, handle);
        }
        catch (UserException e) when (scan.Entries.Count > 0)
        {
            // What is whole before the damage can be used; what comes after cannot be found.
            scan.Damaged.Add(new(shard, $"cannot be read further: {e.Message}"));
        }
        scan.EndSample();
        return scan;
    }

    void Take(string name, long length, UnpackedFile file, SafeFileHandle handle)
    {
        var dot = name.IndexOf('.', name.LastIndexOf('/') + 1);
        var (own, extension) = dot < 0 ? (name, "") : (name[..dot], name[(dot + 1)..].ToLowerInvariant());
        if (own != key) EndSample();
        key = own;
        if (ShardLabel.IsIn(extension, length))
            label = label is { Label: not null } ? label : (ShardLabel.Of(extension, file.ReadExactly(length, name)), name);
        else if (!extension.Contains('.') && ImageFiles.IsRead(name) && image is null) image = Look(name, length, file.Position, handle);
        else PhotographFindings.Count(LeftOut, dot < 0 ? "entry without extension" : "." + extension);
    }

    (PhotographEntry, string?) Look(string name, long length, long offset, SafeFileHandle handle)
    {
        var entry = new PhotographEntry(number, offset, (int)Math.Min(length, int.MaxValue), 0, name);
        if (length > ImageFiles.MaxBytes) return (entry, ImageFiles.TooLarge);
        Span<byte> head = stackalloc byte[(int)Math.Min(ImageKind.HeadLength, length)],
            tail = stackalloc byte[(int)Math.Min(ImageKind.TailLength, length)];
        RandomAccess.Read(handle, head, offset);
        RandomAccess.Read(handle, tail, offset + length - tail.Length);
        var kind = ImageKind.Of(head);
        if (length == 0) return (entry, "is empty");
        if (ImageKind.Refusal(kind) is { } refusal) return (entry, refusal);
        if (!ImageKind.IsNamed(name, kind!))
            PhotographFindings.Count(Misnamed, $"{Path.GetExtension(name).ToLowerInvariant()} holding {kind}");
        if (ImageKind.EndsWell(kind!, head, tail, length)) return (entry, null);
        var content = new byte[length];
        RandomAccess.Read(handle, content, offset);
        return (entry, ImageFiles.TroubleOf(content));
    }

    void EndSample()
    {
        var (taken, said) = (image, label);
        (image, label) = (null, null);
        if (taken is not { } found)
        {
            if (said is not { } alone) return;
            var form = alone.Name.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? " (.json)" : "";
            PhotographFindings.Count(LeftOut, $"label{form} without an image");
            return;
        }
        var trouble = found.Trouble ?? (said is null ? "has no label: neither .cls nor .json lies beside it"
            : said.Value.Label is null ? $"has no label: '{said.Value.Name}' holds none" : null);
        if (trouble is null) Entries.Add(found.Entry with { Label = said!.Value.Label!.Value });
        else Damaged.Add(new($"{shard}: {found.Entry.Name}", trouble));
    }
}
