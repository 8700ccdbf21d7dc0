using DistillSharp.Formats.Files;

namespace DistillSharp.Data;

/// <summary>Image files as users give them: JPEG, PNG, WebP, BMP and GIF, of which the first frame is taken.</summary>
public static class ImageFiles
{
    static readonly string[] endings = [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"];

    /// <summary>What is larger is no image.</summary>
    internal const long MaxBytes = 1L << 29;
    internal static string TooLarge { get; } = $"is larger than {MaxBytes >> 20} MiB: that is no image";

    /// <summary>The names that image files end with.</summary>
    public static string Endings { get; } = string.Join(", ", endings);

    /// <summary>The images directly in a folder, in the order of their names.</summary>
    public static IEnumerable<string> In(string folder) => Found(folder, SearchOption.TopDirectoryOnly);

    /// <summary>The images in a folder and all folders below it, in the order of their paths.</summary>
    public static IEnumerable<string> Below(string folder) => Found(folder, SearchOption.AllDirectories);

    static IEnumerable<string> Found(string folder, SearchOption depth) =>
        Directory.EnumerateFiles(folder, "*", depth).Where(IsRead).Order(StringComparer.Ordinal);

    /// <summary>Reads an image file. Its content decides what it is, not its name. An alpha channel is dropped.</summary>
    /// <exception cref="UserException">There is no such file, or it is no image or a damaged one.</exception>
    public static DecodedImage Read(string path) =>
        Decode(FileTrouble.Told($"cannot read '{path}'", () => Bytes(path, why => new UserException($"'{path}' {why}"))), path);

    /// <summary>Decodes the content of an image file of that name.</summary>
    /// <exception cref="UserException">It is no image or a damaged one.</exception>
    internal static DecodedImage Decode(ReadOnlySpan<byte> file, string name)
    {
        try
        {
            return Decode(file);
        }
        catch (UndecodedException e)
        {
            throw new DamagedImageException(name, e.Message, e);
        }
    }

    /// <summary>The bytes of an image file, in memory that is used again.</summary>
    /// <exception cref="UserException">It cannot be read, or is far too large.</exception>
    internal static FileBytes Open(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            return length <= MaxBytes ? FileBytes.Read(file, 0, (int)length) : throw new DamagedImageException(path, TooLarge);
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            throw new DamagedImageException(path, $"cannot be read: {FileTrouble.Reason(e)}", e);
        }
    }

    /// <summary>Why a file is no image, without its name: <c>is a damaged PNG image: it ends early</c>; null where it is one.</summary>
    internal static string? Trouble(string path) => Trouble(() => Bytes(path, why => new UndecodedException(why)));

    /// <summary>Why content is no image, as of a file.</summary>
    internal static string? TroubleOf(byte[] content) => Trouble(() => content);

    static string? Trouble(Func<byte[]> content)
    {
        try
        {
            Decode(content());
            return null;
        }
        catch (UndecodedException e)
        {
            return e.Message;
        }
    }

    static byte[] Bytes(string path, Func<string, Exception> refused)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length > MaxBytes ? throw refused(TooLarge) : File.ReadAllBytes(path);
    }

    static DecodedImage Decode(ReadOnlySpan<byte> file)
    {
        if (file.Length == 0) throw new UndecodedException("is empty");
        var kind = ImageKind.Of(file[..Math.Min(file.Length, ImageKind.HeadLength)]);
        if (ImageKind.Refusal(kind) is { } refusal) throw new UndecodedException(refusal);
        if (kind is not (ImageKind.Jpeg or ImageKind.Png)) return SkiaImages.Decode(file.ToArray(), kind!);
        try
        {
            return ImageCodec.Decode(file);
        }
        catch (TorchException e)
        {
            throw new UndecodedException(e.Message, e);
        }
    }

    /// <summary>Whether a file is read, by its name.</summary>
    internal static bool IsRead(string file) =>
        endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase) && !Path.GetFileName(file).StartsWith('.');
}
