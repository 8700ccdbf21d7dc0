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
        .Where(file => endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase) && !Path.GetFileName(file).StartsWith('.'))
        .Order(StringComparer.Ordinal);

    /// <summary>
    /// Brings an image to a network's size as the test images of a data set were: photographs of an image folder by 256/224
    /// larger, then cut; digits and clothes to 28x28 with a black border; all others scaled and cut to the middle.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="dataset">The data set's name; null where it is unknown.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <returns>[height, width, 3].</returns>
    public static byte[] Prepare(DecodedImage image, string? dataset, int height, int width)
    {
        var view = new ImageView(image.Pixels, image.Height, image.Width, 3);
        var side = Math.Max(height, width);
        if (dataset is "image-folder" or "imagenet") return ImageScaling.FitCenter(view, side * 256 / 224, height, width);
        var border = dataset is "mnist" or "fashion-mnist" ? 2 : 0;
        var inner = ImageScaling.FitCenter(view, side - 2 * border, height - 2 * border, width - 2 * border);
        if (border == 0) return inner;
        var framed = new byte[height * width * 3];
        var row = (width - 2 * border) * 3;
        for (var y = 0; y < height - 2 * border; y++) inner.AsSpan(y * row, row).CopyTo(framed.AsSpan(((y + border) * width + border) * 3));
        return framed;
    }

    /// <summary>Reads a JPEG or PNG file.</summary>
    /// <exception cref="UserException">There is no such file, or it is no image or a damaged one.</exception>
    public static DecodedImage Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > MaxBytes) throw new UserException($"'{path}' is larger than {MaxBytes >> 20} MiB: that is no image");
            return ImageCodec.Decode(File.ReadAllBytes(path));
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

    static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "the file does not exist",
        UnauthorizedAccessException => "permission denied",
        _ => e.Message.TrimEnd('.'),
    };
}
