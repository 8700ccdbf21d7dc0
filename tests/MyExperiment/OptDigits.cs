using DistillSharp;
using DistillSharp.Data;

namespace MyExperiment;

/// <summary>
/// Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI 1998. Each line is an image of 8x8 numbers, 0..16, and the
/// digit that it shows.
/// </summary>
public sealed class OptDigits : DatasetDescription
{
    const int Side = 8, Largest = 16;

    public override string Name => "optdigits";

    // Of the training images, in 0..1. The one channel counts three times, as networks for photographs have it.
    public override IReadOnlyList<float> Mean { get; } = [.305f, .305f, .305f];

    public override IReadOnlyList<float> Std { get; } = [.376f, .376f, .376f];

    public override IReadOnlyList<string> ClassNames { get; } = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    // What recipes leave unsaid: as for CIFAR, but fewer epochs, and digits are not mirrored.
    public override Protocol Protocol { get; } = Protocol.Cifar with { Epochs = 60, Steps = [40, 50], Augment = [new PadAndCrop()] };

    // The networks get images of Size, which is 32x32 unless overridden.
    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options) =>
        (Part(Path.Combine(root, "optdigits.tra")), Part(Path.Combine(root, "optdigits.tes")));

    ImageSet Part(string file)
    {
        if (!File.Exists(file)) throw new UserException($"'{file}' is missing; archive.ics.uci.edu/dataset/80 has it");
        var (pixels, labels) = (new List<byte>(), new List<int>());
        foreach (var line in File.ReadLines(file))
        {
            var numbers = line.Split(',');
            if (numbers.Length != Side * Side + 1)
                throw new UserException($"'{file}': line {labels.Count + 1} has {numbers.Length} numbers instead of {Side * Side + 1}");
            byte[] image = [.. numbers[..^1].SelectMany(number => Enumerable.Repeat((byte)(int.Parse(number) * 255 / Largest), 3))];
            pixels.AddRange(ImageScaling.Scale(new(image, Side, Side, 3), new(0, 0, Side, Side), Size, Size));
            labels.Add(int.Parse(numbers[^1]));
        }
        return new([.. pixels], Size, Size, 3, [.. labels], ClassNames);
    }
}
