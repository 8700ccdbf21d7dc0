namespace DistillSharp.Serve;

/// <summary>When a file was written last, and how long it is: what changes when its content does.</summary>
readonly record struct FileStamp(DateTime Written, long Length)
{
    /// <summary>A file's stamp; the default where there is none.</summary>
    public static FileStamp Of(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.Exists ? new(file.LastWriteTimeUtc, file.Length) : default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return default; }
    }
}
