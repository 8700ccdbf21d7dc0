namespace DistillSharp.Data;

/// <summary>Photographs that an index knows, in folders and in shards.</summary>
/// <param name="index">Where each lies.</param>
/// <param name="root">The folder that its paths are relative to.</param>
sealed class IndexedFiles(PhotographIndex index, string root) : PhotographFiles
{
    public override string Name(int at) => Named(index[at]);

    public override byte[] Content(int at)
    {
        var entry = index[at];
        var container = index.Findings.Containers[entry.Container];
        if (container.IsFolder) return ImageFiles.Content(Named(entry));
        try
        {
            using var shard = File.OpenHandle(container.Path);
            var content = GC.AllocateUninitializedArray<byte>(entry.Length);
            for (var read = 0; read < content.Length;)
            {
                var more = RandomAccess.Read(shard, content.AsSpan(read), entry.Offset + read);
                read += more > 0 ? more : throw new UserException($"'{Named(entry)}' is no longer whole: the shard was cut or replaced");
            }
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"cannot read '{container.Path}': {ImageFiles.Reason(e)}", e);
        }
    }

    string Named(PhotographEntry entry)
    {
        var container = index.Findings.Containers[entry.Container];
        return container.IsFolder ? Path.Combine(root, container.Path, entry.Name) : $"{container.Path}: {entry.Name}";
    }
}
