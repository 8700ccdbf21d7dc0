using System.Buffers;

namespace DistillSharp.Data;

/// <summary>Which part of an image is wanted, once its size is known.</summary>
/// <param name="height">Its rows.</param>
/// <param name="width">Its columns.</param>
public delegate ImageArea AreaChoice(int height, int width);

/// <summary>Makes pixels of the content of image files: of a whole image, or of no more of it than a crop shows.</summary>
/// <param name="Scaled">Whether crops far larger than wanted are scaled by libjpeg while they are decoded: pixels change a little.</param>
/// <param name="Upright">Whether what EXIF says of the camera's orientation is followed.</param>
sealed record PhotographReader(bool Scaled, bool Upright)
{
    const int Eighths = 8;

    /// <summary>Decodes a whole image.</summary>
    /// <exception cref="DamagedImageException">It is no image or a damaged one.</exception>
    public DecodedImage Read(ReadOnlySpan<byte> file, string name)
    {
        var image = RawImage.Is(file) ? Raw(file, name) : ImageFiles.Decode(file, name);
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
    /// <exception cref="DamagedImageException">It is no image or a damaged one.</exception>
    public void Crop(ReadOnlySpan<byte> file, string name, AreaChoice choose, int height, int width, Span<byte> destination)
    {
        try
        {
            if (ImageKind.Of(file) == ImageKind.Jpeg)
            {
                CropJpeg(file, choose, height, width, destination);
                return;
            }
            if (RawImage.Is(file))
            {
                var stored = RawImage.View(file, out var number);
                if (!Upright || number <= 1)
                {
                    ImageScaling.Scale(stored, choose(stored.Height, stored.Width), height, width, destination);
                    return;
                }
            }
        }
        catch (Exception e) when (e is TorchException or UndecodedException)
        {
            throw new DamagedImageException(name, e.Message, e);
        }
        var image = Read(file, name);
        ImageScaling.Scale(new(image.Pixels, image.Height, image.Width, 3), choose(image.Height, image.Width), height, width, destination);
    }

    void CropJpeg(ReadOnlySpan<byte> file, AreaChoice choose, int height, int width, Span<byte> destination)
    {
        var orientation = OrientationOf(file);
        var (area, box, rented) = (default(JpegPart), default(ImageBox), default(byte[]));
        try
        {
            ImageCodec.DecodeJpegPart(file, Choose);
            Span<byte> pixels = rented.AsSpan(0, area.Height * area.Width * 3);
            if (orientation.IsStored)
            {
                ImageScaling.Scale(new(pixels, area.Height, area.Width, 3), box, height, width, destination);
                return;
            }
            using var upright = new Borrowed(pixels.Length);
            orientation.Turn(pixels, area.Height, area.Width, upright.Bytes);
            var (rows, columns) = orientation.Size(area.Height, area.Width);
            ImageScaling.Scale(
                new(upright.Bytes, rows, columns, 3), orientation.Upright(box, area.Height, area.Width), height, width, destination);
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }

        Memory<byte> Choose(int storedHeight, int storedWidth, out JpegPart part)
        {
            var (fullHeight, fullWidth) = orientation.Size(storedHeight, storedWidth);
            var chosen = choose(fullHeight, fullWidth);
            var eighths = Scaled ? ScaleFor(chosen, height, width) : Eighths;
            (area, box) = Part(orientation.Stored(chosen, storedHeight, storedWidth), eighths, (storedHeight, storedWidth));
            part = area;
            return rented = ArrayPool<byte>.Shared.Rent(area.Height * area.Width * 3);
        }
    }

    static DecodedImage Raw(ReadOnlySpan<byte> file, string name)
    {
        try
        {
            var view = RawImage.View(file, out _);
            return new(view.Pixels.ToArray(), view.Height, view.Width);
        }
        catch (UndecodedException e)
        {
            throw new DamagedImageException(name, e.Message, e);
        }
    }

    Orientation OrientationOf(ReadOnlySpan<byte> file) => Upright ? Orientation.Numbered(NumberOf(file)) : default;

    /// <summary>EXIF's number for the orientation of an image; 0 where there is none.</summary>
    public static int NumberOf(ReadOnlySpan<byte> file)
    {
        if (ImageKind.Of(file) == ImageKind.Jpeg) return Orientation.NumberOf(file);
        if (!RawImage.Is(file)) return 0;
        _ = RawImage.View(file, out var number);
        return number;
    }

    // The least of a half, a quarter and an eighth at which the area still has the wanted size: those libjpeg-turbo is fast at.
    static int ScaleFor(ImageArea area, int height, int width)
    {
        var eighths = Eighths;
        while (eighths > 1 && area.Height * (eighths / 2) >= height * Eighths && area.Width * (eighths / 2) >= width * Eighths)
            eighths /= 2;
        return eighths;
    }

    // The pixels of the scaled image that an area touches, and where within them it lies.
    static (JpegPart Area, ImageBox Box) Part(ImageArea area, int eighths, (int Height, int Width) full)
    {
        var (top, rows, above) = Along(area.Top, area.Height, full.Height);
        var (left, columns, beside) = Along(area.Left, area.Width, full.Width);
        return (new(eighths, top, left, rows, columns),
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
