using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>Photographs that an index knows, in folders and in shards.</summary>
/// <param name="index">Where each lies.</param>
/// <param name="root">The folder that its paths are relative to.</param>
sealed class IndexedFiles(PhotographIndex index, string root) : PhotographFiles
{
    public override string Name(int at) => Named(index[at]);

    public override string LocalName(int at)
    {
        var entry = index[at];
        var container = index.Findings.Containers[entry.Container];
        return container.IsFolder ? Path.Combine(container.Path, entry.Name) : entry.Name;
    }

    public override FileBytes Open(int at)
    {
        var entry = index[at];
        var container = index.Findings.Containers[entry.Container];
        if (container.IsFolder) return ImageFiles.Open(Named(entry));
        try
        {
            using var shard = File.OpenHandle(container.Path);
            var content = FileBytes.Read(shard, entry.Offset, entry.Length);
            if (content.Span.Length == entry.Length) return content;
            content.Dispose();
            throw new DamagedImageException(Named(entry), "is no longer whole: the shard was cut or replaced");
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            throw new DamagedImageException(Named(entry), $"cannot be read: {FileTrouble.Reason(e)}", e);
        }
    }

    string Named(PhotographEntry entry)
    {
        var container = index.Findings.Containers[entry.Container];
        return container.IsFolder ? Path.Combine(root, container.Path, entry.Name) : $"{container.Path}: {entry.Name}";
    }
}
