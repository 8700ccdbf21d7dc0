namespace DistillSharp.Formats.Files;

/// <summary>Opens files for the readers, which then need not know how a file system fails.</summary>
internal static class InputFile
{
    /// <summary>Opens an ordinary file and hands it to a reader; it is closed afterwards.</summary>
    /// <exception cref="UserException">There is no such file, or it cannot be read.</exception>
    public static T Read<T>(string path, Func<FileStream, T> read)
    {
        if (Directory.Exists(path)) throw new UserException($"cannot read {path}: it is a folder, a file is needed");
        return FileTrouble.Told($"cannot read {path}", () =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (!file.CanSeek) throw new UserException($"cannot read {path}: it is a pipe or device, an ordinary file is needed");
            return read(file);
        });
    }
}
