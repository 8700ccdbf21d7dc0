namespace DistillSharp.Data;

/// <summary>
/// What RandAugment, TrivialAugment and AutoAugment do to an image. Each is torchvision's operation of that name on a Pillow image,
/// to the last bit: nearest neighbors for what moves pixels, black beyond the image's edges.
/// </summary>
public enum ImageOperation
{
    /// <summary>Nothing.</summary>
    Identity,
    /// <summary>Rows slide by their height times the magnitude.</summary>
    ShearX,
    /// <summary>Columns slide by their distance from the left times the magnitude.</summary>
    ShearY,
    /// <summary>Moved right by the magnitude in pixels, cut to whole ones.</summary>
    TranslateX,
    /// <summary>Moved down by the magnitude in pixels, cut to whole ones.</summary>
    TranslateY,
    /// <summary>Turned counterclockwise around the middle, in degrees.</summary>
    Rotate,
    /// <summary>Away from black: times 1 + magnitude.</summary>
    Brightness,
    /// <summary>Away from gray: times 1 + magnitude.</summary>
    Color,
    /// <summary>Away from the mean gray: times 1 + magnitude.</summary>
    Contrast,
    /// <summary>Away from the smoothed image: times 1 + magnitude.</summary>
    Sharpness,
    /// <summary>So many bits of each value are kept.</summary>
    Posterize,
    /// <summary>Values from the magnitude on are inverted.</summary>
    Solarize,
    /// <summary>Each channel is stretched to 0..255.</summary>
    AutoContrast,
    /// <summary>Each channel's histogram is made flat.</summary>
    Equalize,
    /// <summary>255 minus each value.</summary>
    Invert,
}

/// <summary>Carries out one <see cref="ImageOperation"/>.</summary>
static class ImageOperations
{
    /// <param name="operation">What to do.</param>
    /// <param name="magnitude">How strongly; of no interest to some.</param>
    /// <param name="image">The image, [H, W, C].</param>
    /// <param name="destination">[H, W, C]; not the memory of the image.</param>
    public static void Apply(ImageOperation operation, double magnitude, ImageView image, Span<byte> destination)
    {
        switch (operation)
        {
            case ImageOperation.ShearX: PixelMove.Shear(magnitude, 0).Apply(image, destination); break;
            case ImageOperation.ShearY: PixelMove.Shear(0, magnitude).Apply(image, destination); break;
            case ImageOperation.TranslateX: PixelMove.Translate((int)magnitude, 0).Apply(image, destination); break;
            case ImageOperation.TranslateY: PixelMove.Translate(0, (int)magnitude).Apply(image, destination); break;
            case ImageOperation.Rotate: PixelMove.Rotate(magnitude, image.Height, image.Width).Apply(image, destination); break;
            case ImageOperation.Brightness: ColorChange.Brightness(image, 1 + magnitude, destination); break;
            case ImageOperation.Color: ColorChange.Saturation(image, 1 + magnitude, destination); break;
            case ImageOperation.Contrast: ColorChange.Contrast(image, 1 + magnitude, destination); break;
            case ImageOperation.Sharpness: ColorChange.Sharpness(image, 1 + magnitude, destination); break;
            case ImageOperation.Posterize: ValueTable.Posterize((int)magnitude).Apply(image, destination); break;
            case ImageOperation.Solarize: ValueTable.Solarize(magnitude).Apply(image, destination); break;
            case ImageOperation.AutoContrast: ValueTable.AutoContrast(image).Apply(image, destination); break;
            case ImageOperation.Equalize: ValueTable.Equalize(image).Apply(image, destination); break;
            case ImageOperation.Invert: ValueTable.Invert().Apply(image, destination); break;
            default: image.Pixels.CopyTo(destination); break;
        }
    }

    /// <summary>Carries out several, one after the other.</summary>
    public static void Apply(ReadOnlySpan<(ImageOperation Operation, double Magnitude)> operations, ImageView image, Span<byte> destination)
    {
        if (operations.IsEmpty)
        {
            image.Pixels.CopyTo(destination);
            return;
        }
        var spare = operations.Length > 1 ? new byte[destination.Length] : [];
        for (var i = 0; i < operations.Length; i++)
        {
            // They take turns, so that the last one writes to the destination.
            var to = (operations.Length - i) % 2 == 1 ? destination : spare;
            Apply(operations[i].Operation, operations[i].Magnitude, image, to);
            image = new(to, image.Height, image.Width, image.Channels);
        }
    }
}
