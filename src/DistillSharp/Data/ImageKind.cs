namespace DistillSharp.Data;

/// <summary>What kind of image a file holds, by its first bytes or by its name.</summary>
static class ImageKind
{
    public const string Jpeg = "JPEG", Png = "PNG";

    // Images that torchvision or people would take for such, and that are not read.
    static readonly string[] others = [".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".heic", ".avif", ".jxl"];

    /// <summary>The ending of an image's name that is not read, or null.</summary>
    public static string? OfName(string file) => others.FirstOrDefault(ending => file.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    /// <summary>The kind, or null where the bytes begin no image that is known.</summary>
    /// <param name="head">The first 16 bytes, or fewer.</param>
    public static string? Of(ReadOnlySpan<byte> head) => head switch
    {
        [0xff, 0xd8, 0xff, ..] => Jpeg,
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => Png,
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "WebP",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "GIF",
        [(byte)'B', (byte)'M', _, _, _, _, 0, 0, ..] => "BMP",
        [(byte)'I', (byte)'I', 42, 0, ..] or [(byte)'M', (byte)'M', 0, 42, ..] => "TIFF",
        [_, _, _, _, (byte)'f', (byte)'t', (byte)'y', (byte)'p', ..] => "HEIF or AVIF",
        _ => null,
    };
}
