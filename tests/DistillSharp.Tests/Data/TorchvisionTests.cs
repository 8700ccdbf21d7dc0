using System.Diagnostics;
using System.Globalization;
using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

/// <summary>Each operation on images against torchvision's on Pillow images, with the same parameters: every value is the same.</summary>
public class TorchvisionTests
{
    static readonly (int Height, int Width)[] sizes = [(32, 32), (17, 23), (3, 4), (224, 150)];

    static readonly double[] slides = [0, .03, -.3, .09, .99, -.33], turns = [0, 9, -30, 4.5, 135, -90, 180, 12.34];

    static readonly double[] changes = [0, .27, -.9, .9, -.03, .99, -.5], moves = [0, 3.9, -5.2, 100, -14.5];

    static IReadOnlyDictionary<ImageOperation, double[]> Magnitudes { get; } = new Dictionary<ImageOperation, double[]>
    {
        [ImageOperation.Identity] = [0],
        [ImageOperation.ShearX] = slides,
        [ImageOperation.ShearY] = slides,
        [ImageOperation.TranslateX] = moves,
        [ImageOperation.TranslateY] = moves,
        [ImageOperation.Rotate] = turns,
        [ImageOperation.Brightness] = changes,
        [ImageOperation.Color] = changes,
        [ImageOperation.Contrast] = changes,
        [ImageOperation.Sharpness] = changes,
        [ImageOperation.Posterize] = [8, 7, 4, 2, 1],
        [ImageOperation.Solarize] = [255, 127.5, 0, 200, 76.5],
        [ImageOperation.AutoContrast] = [0],
        [ImageOperation.Equalize] = [0],
        [ImageOperation.Invert] = [0],
    };

    [TorchvisionFact]
    public void Every_operation_is_torchvisions_to_the_last_bit()
    {
        Assert.Equal(Enum.GetValues<ImageOperation>(), Magnitudes.Keys.Order());
        var cases = (
            from operation in Magnitudes
            from magnitude in operation.Value
            from image in Enumerable.Range(0, Images.Count)
            select (operation.Key, magnitude, image)).ToList();
        var theirs = Torchvision(
            """
            from torchvision.transforms.autoaugment import _apply_op
            from torchvision.transforms import InterpolationMode
            for name, magnitude, image in cases:
                put(_apply_op(images[int(image)], name, float(magnitude), InterpolationMode.NEAREST, None))
            """, cases.Select(one => FormattableString.Invariant($"{one.Key} {one.magnitude:R} {one.image}")));
        Compare(theirs, cases.Select(one => ($"{one.Key} {one.magnitude} of {Shown(one.image)}", one.image,
            new Step((image, to) => ImageOperations.Apply(one.Key, one.magnitude, image, to)))));
    }

    [TorchvisionFact]
    public void Color_jitter_is_torchvisions_to_the_last_bit()
    {
        int[][] orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]];
        double[][] factors = [[1.3, .7, 1.2, .07], [.6, 1.4, .61, -.1], [1, 1, 1, .5], [1.39, .62, 1.38, -.5], [1, 1, 1, -.05]];
        var cases = (
            from order in orders
            from factor in factors
            from image in Enumerable.Range(0, Images.Count)
            select (order, factor, image)).ToList();
        var theirs = Torchvision(
            """
            import torchvision.transforms.functional as F
            change = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
            for *order, b, c, s, h, image in cases:
                changed = images[int(image)]
                for kind in order: changed = change[int(kind)](changed, float([b, c, s, h][int(kind)]))
                put(changed)
            """, cases.Select(one => $"{string.Join(' ', one.order)} {string.Join(' ', one.factor.Select(Text))} {one.image}"));
        var jitter = new ColorJitter { Hue = .5 };
        Compare(theirs, cases.Select(one => ($"{string.Join(' ', one.factor)} of {Shown(one.image)}", one.image,
            new Step((image, to) => jitter.Apply(image, one.order, one.factor[0], one.factor[1], one.factor[2], one.factor[3], to)))));
    }

    // torchvision draws by itself; here its draws are replaced by ours, so that the same numbers must come to the same area and pixels.
    [TorchvisionFact]
    public void Random_erasing_is_torchvisions_to_the_last_bit()
    {
        RandomErasing[] steps =
        [
            new() { Probability = 1 },
            new() { Probability = 1, MinShare = .3, MaxShare = .9, MaxRatio = 8 },
            new() { Probability = 1, MinShare = .9, MaxShare = .99, MaxRatio = 1.5 },
        ];
        AugmentationDraw Draw(int step, int image) =>
            new(KeyedRandom.For(KeyedRandom.Purpose.Augmentation, seed: step), image * steps[0].Numbers, null);
        var cases = (
            from step in Enumerable.Range(0, steps.Length)
            from image in Enumerable.Range(0, Images.Count)
            select (step, image)).ToList();
        var theirs = Torchvision(
            """
            import torch
            import torchvision.transforms as T
            import torchvision.transforms.functional as F
            torch.set_default_dtype(torch.float64)
            class Drawn:
                def uniform_(self, low, high): return torch.tensor(float(low) + (float(high) - float(low)) * next(drawn))
            torch.empty = lambda *size, **more: Drawn()
            torch.randint = lambda low, high, size: torch.tensor(low + int(next(places) * (high - low)))
            for low, high, ratio, image, top, left, *numbers in cases:
                drawn, places = iter(map(float, numbers)), iter([float(top), float(left)])
                pixels = F.pil_to_tensor(images[int(image)])
                area = T.RandomErasing.get_params(pixels, (float(low), float(high)), (1 / float(ratio), float(ratio)), [0.])
                erased = F.erase(pixels, *area[:4], area[4].to(pixels.dtype))
                put(F.to_pil_image(erased))
            """, cases.Select(one =>
            {
                var (step, draw) = (steps[one.step], Draw(one.step, one.image));
                double[] numbers =
                [
                    step.MinShare, step.MaxShare, step.MaxRatio, one.image, draw.Between(0, 1, 21), draw.Between(0, 1, 22),
                    .. Enumerable.Range(1, 20).Select(number => draw.Between(0, 1, number)),
                ];
                return string.Join(' ', numbers.Select(Text));
            }));
        var areas = cases.Select(one => steps[one.step].Area(Images[one.image].Height, Images[one.image].Width, Draw(one.step, one.image)));
        Assert.Contains(areas, area => area is null);
        Assert.InRange(areas.Count(area => area is not null), cases.Count / 2, cases.Count);
        Compare(theirs, cases.Select(one => ($"erasing {one.step} of {Shown(one.image)}", one.image,
            new Step((image, to) => steps[one.step].Apply(image, Draw(one.step, one.image), image.Height, image.Width, to)))));
    }

    [TorchvisionFact]
    public void Magnitudes_and_policies_are_torchvisions()
    {
        var theirs = TorchvisionText(
            """
            import torchvision.transforms as T
            def show(which, space):
                for name, (values, signed) in space.items():
                    print(which, name, signed, *([float(v) for v in values] if values.ndim else []))
            show("auto", T.AutoAugment()._augmentation_space(10, (30, 47)))
            show("rand", T.RandAugment()._augmentation_space(31, (30, 47)))
            show("wide", T.TrivialAugmentWide()._augmentation_space(31))
            P = T.AutoAugmentPolicy
            for name, policy in ("Cifar", P.CIFAR10), ("Imagenet", P.IMAGENET), ("Svhn", P.SVHN):
                for pair in T.AutoAugment(policy).policies:
                    print(name, *[f"{op} {p} {m or 0}" for op, p, m in pair])
            """);
        var ours = new List<string>();
        Show("auto", new(10, wide: false), Enum.GetValues<ImageOperation>()[1..]);
        Show("rand", new(31, wide: false), OperationSpace.Choices);
        Show("wide", new(31, wide: true), OperationSpace.Choices);
        foreach (var policy in Enum.GetValues<AutoAugmentPolicy>())
            foreach (var pair in AutoAugmentPolicies.Of(policy))
                ours.Add($"{policy} {string.Join(' ', pair.Select(part => $"{part.Operation} {Text(part.Probability)} {part.Level}"))}");
        Assert.Equal(theirs.Length, ours.Count);
        foreach (var (wanted, own) in theirs.Zip(ours))
        {
            var (left, right) = (wanted.Split(' '), own.Split(' '));
            Assert.Equal(left.Length, right.Length);
            // The last bit of torch.linspace depends on how many numbers the processor takes at a time.
            foreach (var (a, b) in left.Zip(right))
                if (a != b)
                    Assert.Equal(double.Parse(a, CultureInfo.InvariantCulture), double.Parse(b, CultureInfo.InvariantCulture), 1e-5);
        }

        void Show(string which, OperationSpace space, IEnumerable<ImageOperation> operations)
        {
            foreach (var operation in operations)
            {
                var values = Enumerable.Range(0, space.Levels).Select(level => space.Magnitude(operation, level, false, 30, 47)).ToArray();
                var signed = space.Magnitude(operation, 3, true, 30, 47) < 0;
                var none = values.All(value => value == 0);
                string[] shown = none ? [] : Array.ConvertAll(values, Text);
                ours.Add(string.Join(' ', [which, operation.ToString(), signed ? "True" : "False", .. shown]));
            }
        }
    }

    static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    delegate void Step(ImageView image, Span<byte> to);

    static void Compare(byte[] theirs, IEnumerable<(string What, int Image, Step Step)> ours)
    {
        var at = 0;
        foreach (var (what, number, step) in ours)
        {
            var (pixels, height, width) = Images[number];
            var made = new byte[pixels.Length];
            Array.Fill(made, (byte)77);
            step(new(pixels, height, width, 3), made);
            var different = made.Zip(theirs.Skip(at)).Count(pair => pair.First != pair.Second);
            Assert.True(different == 0, $"{what}: {different} of {made.Length} values differ");
            at += pixels.Length;
        }
        Assert.Equal(theirs.Length, at);
        Assert.True(at > 0);
    }

    // Noise, a gentle slope, a flat image, and one of few values: of several sizes.
    static IReadOnlyList<(byte[] Pixels, int Height, int Width)> Images { get; } =
        [.. sizes.SelectMany(
            (size, seed) =>
                Enumerable.Range(0, 4).Select(kind => (SmallFiles.Bytes(size.Height * size.Width * 3, seed).Select((value, i) => kind switch
        {
            0 => value,
            1 => (byte)(40 + i * 170 / (size.Height * size.Width * 3) + value % 9),
            2 => (byte)(70 + i % 3),
            _ => (byte)(value / 64 * 85),
        }).ToArray(), size.Height, size.Width)))];

    static string Shown(int image) => $"image {image} ({Images[image].Height}x{Images[image].Width})";

    static byte[] Torchvision(string program, IEnumerable<string> cases)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder["cases"], cases);
        for (var i = 0; i < Images.Count; i++) File.WriteAllBytes(folder[$"{i}"], Images[i].Pixels);
        Run(
            $"""
            from PIL import Image
            cases = [line.split() for line in open("cases")]
            sizes = [{string.Join(", ", Images.Select(image => $"({image.Width}, {image.Height})"))}]
            images = [Image.frombytes("RGB", size, open(str(i), "rb").read()) for i, size in enumerate(sizes)]
            shown = open("shown", "wb")
            put = lambda image: shown.write(image.tobytes())

            """ + program, folder.Path);
        return File.ReadAllBytes(folder["shown"]);
    }

    static string[] TorchvisionText(string program) => Run(program, Path.GetTempPath()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    static string Run(string program, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-W", "ignore", "-c", program])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true,
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}

/// <summary>A fact that runs only where the system's Python has torchvision.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class TorchvisionFactAttribute : FactAttribute
{
    static readonly Lazy<bool> exists = new(() =>
    {
        if (!File.Exists("/usr/bin/python3")) return false;
        using var process = Process.Start(
            new ProcessStartInfo("/usr/bin/python3", ["-c", "import torchvision"]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    });

    public TorchvisionFactAttribute()
    {
        if (!exists.Value) Skip = "the system's Python has no torchvision (Debian: python3-torchvision)";
    }
}
