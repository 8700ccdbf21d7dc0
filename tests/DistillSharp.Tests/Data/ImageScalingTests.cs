using System.Diagnostics;
using System.Security.Cryptography;
using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

public class ImageScalingTests
{
    static byte[] Noise(int height, int width, int seed)
    {
        var pixels = new byte[height * width * 3];
        new Random(seed).NextBytes(pixels);
        return pixels;
    }

    [PillowFact]
    public void Scaling_is_Pillows_to_the_last_bit()
    {
        using var folder = new TemporaryFolder();
        (int Height, int Width, ImageArea Area, int ToHeight, int ToWidth)[] cases =
        [
            (40, 50, new(0, 0, 40, 50), 20, 25), (40, 50, new(0, 0, 40, 50), 13, 7), (40, 50, new(3, 5, 17, 31), 64, 48),
            (40, 50, new(39, 49, 1, 1), 5, 6), (7, 5, new(0, 0, 7, 5), 7, 32), (7, 5, new(0, 0, 7, 5), 32, 5),
                (300, 200, new(10, 20, 250, 150), 224, 224),
        ];
        for (var i = 0; i < cases.Length; i++)
        {
            var (height, width, area, toHeight, toWidth) = cases[i];
            var pixels = Noise(height, width, i);
            File.WriteAllBytes(folder["in"], pixels);
            Python("""
                import sys
                from PIL import Image
                folder, h, w, top, left, ah, aw, th, tw = sys.argv[1], *map(int, sys.argv[2:])
                image = Image.frombytes("RGB", (w, h), open(folder + "/in", "rb").read())
                image = image.crop((left, top, left + aw, top + ah)).resize((tw, th), Image.BILINEAR)
                open(folder + "/out", "wb").write(image.tobytes())
                """, folder.Path, height, width, area.Top, area.Left, area.Height, area.Width, toHeight, toWidth);
            Assert.Equal(File.ReadAllBytes(folder["out"]), ImageScaling.Scale(new(pixels, height, width, 3), area, toHeight, toWidth));
        }
    }

    [PillowFact(needsShared: true)]
    public void Photographs_decode_to_Pillows_values()
    {
        using var folder = new TemporaryFolder();
        var files = ImageFiles.In(SharedFiles.Path("data/jpeg")).ToArray();
        Assert.Equal(60, files.Length);
        Python("""
            import hashlib, sys
            from PIL import Image
            sums = [hashlib.md5(Image.open(path).convert("RGB").tobytes()).hexdigest() for path in sys.argv[2:]]
            open(sys.argv[1], "w").write("\n".join(sums))
            """, [folder["sums"], .. files]);
        Assert.Equal(
            File.ReadAllLines(folder["sums"]), files.Select(file => Convert.ToHexStringLower(MD5.HashData(ImageFiles.Read(file).Pixels))));
    }

    static void Python(string program, params object[] arguments)
    {
        using var process = Process.Start("/usr/bin/python3", ["-c", program, .. arguments.Select(argument => argument.ToString()!)]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void The_middle_is_cut_out_of_the_scaled_image()
    {
        // Columns 0..7 of 4x8: the shorter side stays 4, and the middle four columns remain.
        var pixels = Enumerable.Range(0, 4 * 8 * 3).Select(i => (byte)(i / 3 % 8 * 10)).ToArray();
        var cut = ImageScaling.FitCenter(new(pixels, 4, 8, 3), 4, 4, 4);
        Assert.Equal(Enumerable.Range(0, 48).Select(i => (byte)((2 + i / 3 % 4) * 10)), cut);
        Assert.All(
            ImageScaling.FitCenter(new(Enumerable.Repeat((byte)77, 30 * 9 * 3).ToArray(), 30, 9, 3), 256, 224, 224), value =>
                Assert.Equal(77, value));
    }

    [Theory]
    [InlineData(1, 60_000)]
    [InlineData(60_000, 1)]
    public void A_strip_scaled_up_takes_no_more_than_its_middle(int height, int width)
    {
        var pixels = Enumerable.Repeat((byte)9, height * width * 3).ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var middle = ImageScaling.FitCenter(new(pixels, height, width, 3), 256, 224, 224);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 8 << 20);
        Assert.All(middle, value => Assert.Equal(9, value));
    }

    [PillowFact]
    public void The_middle_is_that_of_torchvision()
    {
        using var folder = new TemporaryFolder();
        var pixels = Noise(61, 90, 3);
        File.WriteAllBytes(folder["in"], pixels);
        Python("""
            import sys
            from PIL import Image
            image = Image.frombytes("RGB", (90, 61), open(sys.argv[1] + "/in", "rb").read()).resize((int(36 * 90 / 61), 36), Image.BILINEAR)
            left, top = int(round((image.width - 32) / 2.0)), int(round((36 - 32) / 2.0))
            open(sys.argv[1] + "/out", "wb").write(image.crop((left, top, left + 32, top + 32)).tobytes())
            """, folder.Path);
        Assert.Equal(File.ReadAllBytes(folder["out"]), ImageScaling.FitCenter(new(pixels, 61, 90, 3), 36, 32, 32));
    }

    [Fact]
    public void Random_areas_keep_their_bounds_and_their_distribution()
    {
        var (shares, ratios, whole) = (new List<double>(), new List<double>(), 0);
        for (var index = 0; index < 4000; index++)
        {
            var area = Area(300, 400, seed: 5, epoch: 2, index);
            Assert.True(
                area is { Top: >= 0, Left: >= 0, Height: > 0, Width: > 0 } && area.Top + area.Height <= 300
                && area.Left + area.Width <= 400, $"{area}");
            shares.Add(area.Height * area.Width / 120_000.0);
            ratios.Add((double)area.Width / area.Height);
            if (area.Height == 300) whole++;
        }
        Assert.InRange(shares.Min(), .075, .10);
        Assert.InRange(shares.Max(), .9, 1);
        // Large areas often do not fit: over many draws of torchvision's rule the mean is .433, its error for 4,000 draws .0034.
        Assert.InRange(shares.Average(), .433 - 3 * .0034, .433 + 3 * .0034);
        Assert.InRange(ratios.Min(), .74, .80);
        Assert.InRange(ratios.Max(), 1.28, 1.35);
        // All rows: 29 of 4,000 by the same rule.
        Assert.InRange(whole, 10, 60);
        // torchvision draws the ratio log-uniformly: as many areas are wider than square as are higher, where both fit.
        var free =
            Enumerable.Range(0, 4000).Select(index => Area(4000, 4000, seed: 7, epoch: 1, index))
                .Where(area => area.Height * area.Width < 4_000_000).ToList();
        Assert.InRange(free.Count(area => area.Width > area.Height) / (double)free.Count, .46, .54);
        Assert.InRange(free.Average(area => Math.Log((double)area.Width / area.Height)), -.02, .02);
        Assert.NotEqual(Area(300, 400, 5, 2, 17), Area(300, 400, 5, 3, 17));
        Assert.NotEqual(Area(300, 400, 5, 2, 17), Area(300, 400, 6, 2, 17));
    }

    static ImageArea Area(int height, int width, long seed, int epoch, int index) => new ResizedCrop()
        .Area(height, width, new(KeyedRandom.For(KeyedRandom.Purpose.Augmentation, seed, epoch), index * 23, variants: null));

    [Theory]
    [InlineData(10, 1000, 0, 493, 10, 13)]
    [InlineData(1000, 10, 493, 0, 13, 10)]
    public void A_very_long_image_gives_its_middle(int height, int width, int top, int left, int areaHeight, int areaWidth)
    {
        // 8 % of such an image cannot have a ratio of 3:4 to 4:3.
        Assert.Equal(new ImageArea(top, left, areaHeight, areaWidth), Area(height, width, 1, 1, 1));
    }
}
