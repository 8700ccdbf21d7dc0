namespace DistillSharp.Data;

/// <summary>What MNIST and the sets in its form have in common: 28x28 gray values, a black border, three equal channels.</summary>
abstract class GrayDigitsSet(string name, float mean, float std) : PublishedSet(name, [mean, mean, mean], [std, std, std])
{
    const int Border = 2;

    /// <summary>The image scaled to 28x28 (of 32x32), with the border that the set's own images have.</summary>
    public override byte[] Prepare(ImageView image, int height, int width)
    {
        var inner = ImageScaling.FitCenter(image, Math.Max(height, width) - 2 * Border, height - 2 * Border, width - 2 * Border);
        var framed = new byte[height * width * image.Channels];
        var row = (width - 2 * Border) * image.Channels;
        for (var y = 0; y < height - 2 * Border; y++)
            inner.AsSpan(y * row, row).CopyTo(framed.AsSpan(((y + Border) * width + Border) * image.Channels));
        return framed;
    }
}

/// <summary>MNIST: 60,000 + 10,000 gray images of digits in 10 classes.</summary>
sealed class MnistSet() : GrayDigitsSet("mnist", .1307f, .3081f)
{
    public override IReadOnlyList<string> ClassNames { get; } = [.. Enumerable.Range(0, 10).Select(digit => digit.ToString())];

    // Digits are not mirrored.
    public override Protocol Protocol { get; } = Protocol.Cifar with { Augment = [new PadAndCrop()] };

    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options) =>
        Mnist.Read("MNIST", root, ["mnist", "MNIST/raw"], [.. ClassNames], "published at yann.lecun.com/exdb/mnist");
}

/// <summary>Fashion-MNIST: 60,000 + 10,000 gray images of clothes in 10 classes.</summary>
sealed class FashionMnistSet() : GrayDigitsSet("fashion-mnist", .2860f, .3530f)
{
    public override IReadOnlyList<string> ClassNames { get; } =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options) =>
        Mnist.Read("Fashion-MNIST", root, ["fashion-mnist", "FashionMNIST/raw"], [.. ClassNames],
            "Debian's package dataset-fashion-mnist puts them into /usr/share/datasets/fashion-mnist");
}
