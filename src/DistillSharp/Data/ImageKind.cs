namespace DistillSharp.Data;

/// <summary>What kind of image a file holds, by its first bytes or by its name.</summary>
static class ImageKind
{
    public const string Jpeg = "JPEG", Png = "PNG", WebP = "WebP", Bmp = "BMP", Gif = "GIF";

    /// <summary>How many of a file's first bytes tell its kind, and of its last whether it is whole.</summary>
    public const int HeadLength = 16, TailLength = 12;

    static readonly string[] read = [Jpeg, Png, WebP, Bmp, Gif];

    /// <summary>The kinds that are read, as a sentence lists them.</summary>
    public static string AllRead { get; } = $"{string.Join(", ", read[..^1])} and {read[^1]}";

    // Images that torchvision or people would take for such, and that are not read.
    static readonly string[] others = [".tif", ".tiff", ".ppm", ".pgm", ".heic", ".avif", ".jxl"];

    /// <summary>The ending of an image's name that is not read, or null.</summary>
    public static string? OfName(string file) => others.FirstOrDefault(ending => file.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    /// <summary>The kind, or null where the bytes begin no image that is known.</summary>
    /// <param name="head">The first <see cref="HeadLength"/> bytes, or fewer.</param>
    public static string? Of(ReadOnlySpan<byte> head) => head switch
    {
        [0xff, 0xd8, 0xff, ..] => Jpeg,
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => Png,
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => WebP,
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => Gif,
        [(byte)'B', (byte)'M', _, _, _, _, 0, 0, ..] => Bmp,
        [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => "TIFF",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => "HEIF or AVIF",
        _ => null,
    };

    /// <summary>Why a file of a kind is not read, a sentence without its subject; null where it is.</summary>
    public static string? Refusal(string? kind) =>
        kind is null ? $"is no image: {AllRead} are read" : read.Contains(kind) ? null : $"holds {kind}, which is not read; {AllRead} are";

    /// <summary>Whether a name's ending is one that files of a kind have.</summary>
    public static bool IsNamed(string file, string kind) => Path.GetExtension(file).ToLowerInvariant() switch
    {
        ".jpg" or ".jpeg" => kind == Jpeg,
        var ending => ending[1..].Equals(kind, StringComparison.OrdinalIgnoreCase),
    };

    /// <summary>Whether a file ends as one of its kind does, so that it was not cut; where it cannot be told, false.</summary>
    /// <param name="kind">One that is read.</param>
    /// <param name="head">The first <see cref="HeadLength"/> bytes, or fewer.</param>
    /// <param name="tail">The last <see cref="TailLength"/> bytes, or fewer.</param>
    /// <param name="length">The file's length.</param>
    public static bool EndsWell(string kind, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, long length) => kind switch
    {
        Jpeg => tail is [.., 0xff, 0xd9],
        Png => tail.Length == TailLength && tail[4..].StartsWith("IEND"u8),
        Gif => tail is [.., 0, (byte)';'],
        WebP => head.Length >= 8 && BitConverter.ToUInt32(head[4..8]) + 8L <= length,
        // Some programs leave the length out.
        _ => head.Length >= 6 && BitConverter.ToUInt32(head[2..6]) is > 0 and var said && said <= length,
    };
}
