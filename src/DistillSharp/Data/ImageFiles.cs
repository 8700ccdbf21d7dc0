using DistillSharp.Torch;

namespace DistillSharp.Data;

/// <summary>Image files as users give them.</summary>
public static class ImageFiles
{
    static readonly string[] endings = [".jpg", ".jpeg", ".png"];

    const long MaxBytes = 1L << 29;

    /// <summary>The names that JPEG and PNG files end with.</summary>
    public static string Endings { get; } = string.Join(", ", endings);

    /// <summary>The images directly in a folder, in the order of their names.</summary>
    public static IEnumerable<string> In(string folder) => Found(folder, SearchOption.TopDirectoryOnly);

    /// <summary>The images in a folder and all folders below it, in the order of their paths.</summary>
    public static IEnumerable<string> Below(string folder) => Found(folder, SearchOption.AllDirectories);

    static IEnumerable<string> Found(string folder, SearchOption depth) => Directory.EnumerateFiles(folder, "*", depth)
        .Where(IsRead)
        .Order(StringComparer.Ordinal);

    /// <summary>Reads a JPEG or PNG file.</summary>
    /// <exception cref="UserException">There is no such file, or it is no image or a damaged one.</exception>
    public static DecodedImage Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > MaxBytes) throw new UserException($"'{path}' is larger than {MaxBytes >> 20} MiB: that is no image");
            var content = File.ReadAllBytes(path);
            return ImageKind.Of(content.AsSpan(0, Math.Min(content.Length, 16))) is not (null or ImageKind.Jpeg or ImageKind.Png) and { } kind
                ? throw new UserException($"'{path}' holds {kind}, which is not read; JPEG and PNG are")
                : ImageCodec.Decode(content);
        }
        catch (TorchException e)
        {
            throw new UserException($"'{path}' {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"cannot read '{path}': {Reason(e)}", e);
        }
    }

    /// <summary>Whether a file is read, by its name.</summary>
    internal static bool IsRead(string file) =>
        endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase) && !Path.GetFileName(file).StartsWith('.');

    internal static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "the file does not exist",
        UnauthorizedAccessException => "permission denied",
        _ => e.Message.TrimEnd('.'),
    };
}
