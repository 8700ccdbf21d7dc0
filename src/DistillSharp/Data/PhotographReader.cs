using System.Buffers;
using DistillSharp.Torch;

namespace DistillSharp.Data;

/// <summary>Which part of an image is wanted, once its size is known.</summary>
/// <param name="height">Its rows.</param>
/// <param name="width">Its columns.</param>
public delegate ImageArea AreaChoice(int height, int width);

/// <summary>Makes pixels of the content of image files: of a whole image, or of no more of it than a crop shows.</summary>
/// <param name="Scaled">Whether crops far larger than wanted are scaled by libjpeg while they are decoded, which changes pixels a
/// little.</param>
/// <param name="Upright">Whether what EXIF says of the camera's orientation is followed.</param>
sealed record PhotographReader(bool Scaled, bool Upright)
{
    const int Eighths = 8;

    /// <summary>Decodes a whole image.</summary>
    /// <param name="file">The file's content.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <exception cref="UserException">It is no image or a damaged one.</exception>
    public DecodedImage Read(byte[] file, string name)
    {
        var image = ImageFiles.Decode(file, name);
        var orientation = OrientationOf(file);
        if (orientation.IsStored) return image;
        var upright = new byte[image.Pixels.Length];
        orientation.Turn(image.Pixels, image.Height, image.Width, upright);
        var (height, width) = orientation.Size(image.Height, image.Width);
        return new(upright, height, width);
    }

    /// <summary>Decodes an area of an image and scales it.</summary>
    /// <param name="file">The file's content.</param>
    /// <param name="name">The file's name, for messages.</param>
    /// <param name="choose">The area, from the image's size.</param>
    /// <param name="height">Rows of the result.</param>
    /// <param name="width">Columns of the result.</param>
    /// <param name="destination">[height, width, 3].</param>
    /// <exception cref="UserException">It is no image or a damaged one.</exception>
    public void Crop(byte[] file, string name, AreaChoice choose, int height, int width, Span<byte> destination)
    {
        if (ImageKind.Of(file) != ImageKind.Jpeg)
        {
            var image = Read(file, name);
            ImageScaling.Scale(
                new(image.Pixels, image.Height, image.Width, 3), choose(image.Height, image.Width), height, width, destination);
            return;
        }
        try
        {
            CropJpeg(file, choose, height, width, destination);
        }
        catch (TorchException e)
        {
            throw new UserException($"'{name}' {e.Message}", e);
        }
    }

    void CropJpeg(byte[] file, AreaChoice choose, int height, int width, Span<byte> destination)
    {
        var stored = ImageCodec.Size(file);
        var orientation = OrientationOf(file);
        var (fullHeight, fullWidth) = orientation.Size(stored.Height, stored.Width);
        var chosen = choose(fullHeight, fullWidth);
        var eighths = Scaled ? ScaleFor(chosen, height, width) : Eighths;
        var (area, box) = Part(orientation.Stored(chosen, stored.Height, stored.Width), eighths, stored);
        using var pixels = new Borrowed(area.Height * area.Width * 3);
        ImageCodec.DecodeJpegPart(file, eighths, area.Top, area.Left, area.Height, area.Width, pixels.Bytes);
        if (orientation.IsStored)
        {
            ImageScaling.Scale(new(pixels.Bytes, area.Height, area.Width, 3), box, height, width, destination);
            return;
        }
        using var upright = new Borrowed(pixels.Bytes.Length);
        orientation.Turn(pixels.Bytes, area.Height, area.Width, upright.Bytes);
        var (rows, columns) = orientation.Size(area.Height, area.Width);
        ImageScaling.Scale(
            new(upright.Bytes, rows, columns, 3), orientation.Upright(box, area.Height, area.Width), height, width, destination);
    }

    Orientation OrientationOf(byte[] file) => Upright && ImageKind.Of(file) == ImageKind.Jpeg ? Orientation.Of(file) : default;

    // The least of a half, a quarter and an eighth at which the area still has the wanted size: those libjpeg-turbo is fast at.
    static int ScaleFor(ImageArea area, int height, int width)
    {
        var eighths = Eighths;
        while (eighths > 1 && area.Height * (eighths / 2) >= height * Eighths && area.Width * (eighths / 2) >= width * Eighths)
            eighths /= 2;
        return eighths;
    }

    // The pixels of the scaled image that an area touches, and where within them it lies.
    static (ImageArea Area, ImageBox Box) Part(ImageArea area, int eighths, (int Height, int Width) full)
    {
        var (top, rows, above) = Along(area.Top, area.Height, full.Height);
        var (left, columns, beside) = Along(area.Left, area.Width, full.Width);
        return (new(top, left, rows, columns),
            new(above, beside, area.Height * eighths / (double)Eighths, area.Width * eighths / (double)Eighths));

        (int First, int Count, double Before) Along(int start, int length, int side)
        {
            var first = start * eighths / Eighths;
            var end = Math.Min(((start + length) * eighths + Eighths - 1) / Eighths, (side * eighths + Eighths - 1) / Eighths);
            return (first, end - first, start * eighths / (double)Eighths - first);
        }
    }

    readonly ref struct Borrowed(int length)
    {
        readonly byte[] array = ArrayPool<byte>.Shared.Rent(length);

        public Span<byte> Bytes => array.AsSpan(0, length);

        public void Dispose() => ArrayPool<byte>.Shared.Return(array);
    }
}
