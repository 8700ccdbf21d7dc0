using System.Diagnostics;
using DistillSharp.Data;
using DistillSharp.Tests.Formats;

namespace DistillSharp.Tests.Data;

/// <summary>WebP, BMP and GIF files, written by Pillow and by hand, against what Pillow reads in them.</summary>
public sealed class OtherImagesTests : IClassFixture<OtherImages>
{
    readonly OtherImages images;

    public OtherImagesTests(OtherImages images) => this.images = images;

    /// <summary>
    /// Every file but BMPs of 16 bits, whose five bits for a color are rounded otherwise, to the last bit; lossy WebP too.
    /// </summary>
    [PillowFact]
    public void Values_are_Pillows()
    {
        Assert.InRange(images.Names.Count, 28, 40);
        foreach (var name in images.Names)
        {
            var (expected, read) = (File.ReadAllBytes($"{images.At(name)}.rgb"), ImageFiles.Read(images.At(name)));
            Assert.Equal((OtherImages.Height, OtherImages.Width), (read.Height, read.Width));
            Assert.Equal(expected.Length, read.Pixels.Length);
            var worst = expected.Zip(read.Pixels, (theirs, ours) => Math.Abs(theirs - ours)).Max();
            Assert.True(worst <= (name.StartsWith("16-bit", StringComparison.Ordinal) ? 1 : 0), $"{name}: {worst}");
        }
    }

    [PillowFact]
    public void A_folder_of_them_is_read_like_any_other()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in images.Names)
            foreach (var part in new[] { "train/a", "val/a" })
            {
                Directory.CreateDirectory(folder[part]);
                File.Copy(images.At(name), folder[$"{part}/{name}"]);
            }
        var data = Datasets.ImageFolder(folder.Path, side: 32);
        Assert.Equal($"{images.Names.Count} images in 1 class (train), {images.Names.Count} in 1 (test)", data.Found);
        for (var i = 0; i < images.Names.Count; i++)
            Assert.Equal(ImageFiles.Read(images.At(images.Names[i])).Pixels, data.Train.Original(i).Pixels.ToArray());
    }

    [PillowFact]
    public void Cut_files_are_found_before_training()
    {
        using var folder = new TemporaryFolder();
        foreach (var part in new[] { "train/a", "val/a" }) Directory.CreateDirectory(folder[part]);
        foreach (var name in new[] { "lossless.webp", "lossy.webp", "color.bmp", "palette.gif" })
        {
            var whole = File.ReadAllBytes(images.At(name));
            File.WriteAllBytes(folder[$"train/a/{name}"], whole[..(whole.Length * 2 / 3)]);
            File.WriteAllBytes(folder[$"val/a/{name}"], whole);
        }
        var said = Assert.Throws<UserException>(() => Datasets.ImageFolder(folder.Path, side: 32)).Message;
        Assert.StartsWith("4 files cannot be read as images: ", said);
        foreach (var kind in new[] { "WebP", "BMP", "GIF" }) Assert.Contains($"is a damaged {kind} image", said);
        foreach (var name in new[] { "lossless.webp", "lossy.webp", "color.bmp", "palette.gif" })
            Assert.Contains(name, Assert.ThrowsAny<UserException>(() => ImageFiles.Read(folder[$"train/a/{name}"])).Message);
    }

    [Fact]
    public void Claims_that_no_file_of_its_length_keeps_are_refused()
    {
        using var folder = new TemporaryFolder();
        // 20,000 x 20,000 pixels in a GIF of 30 bytes.
        File.WriteAllBytes(folder["huge.gif"],
            [.. "GIF89a"u8, 0x20, 0x4e, 0x20, 0x4e, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0, 0x20, 0x4e, 0x20, 0x4e, 0, 2, 1,
                0x44, 0, (byte)';']);
        Assert.Contains(
            "claims 20000x20000 pixels, which is too many for 34 bytes",
            Assert.ThrowsAny<UserException>(() => ImageFiles.Read(folder["huge.gif"])).Message);
    }

    [PillowTheory]
    [InlineData(".webp")]
    [InlineData(".bmp")]
    [InlineData(".gif")]
    public void Damaged_images_are_read_or_refused_but_never_crash_or_hang(string ending)
    {
        using var folder = new TemporaryFolder();
        byte[][] files =
            [.. images.Names.Where(name => name.EndsWith(ending, StringComparison.Ordinal))
                .Select(name => File.ReadAllBytes(images.At(name)))];
        // A pixel takes seven bytes here, and SkiaImages says how many pixels a byte of a file may claim.
        Fuzz.Run(files, file =>
        {
            File.WriteAllBytes(folder["image"], file);
            ImageFiles.Read(folder["image"]);
        }, bytesPerByte: 7 << 16);
    }
}

/// <summary>The files, made once, each with what Pillow reads in it beside it.</summary>
public sealed class OtherImages : IDisposable
{
    public const int Height = 37, Width = 53;

    readonly TemporaryFolder folder = new();

    public OtherImages()
    {
        if (Pillow.Skip is not null) return;
        using var python = Process.Start(new ProcessStartInfo(
            "/usr/bin/python3", ["-W", "ignore", Path.Combine(SourceTree.Root, "tests", "pillow", "images.py"), folder.Path])
        { RedirectStandardError = true })!;
        var error = python.StandardError.ReadToEnd();
        python.WaitForExit();
        Assert.True(python.ExitCode == 0, error);
        Names =
        [
            .. Directory.GetFiles(folder.Path).Select(file => Path.GetFileName(file))
                .Where(name => !name.EndsWith(".rgb", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
    }

    public IReadOnlyList<string> Names { get; } = [];

    public string At(string name) => folder[name];

    public void Dispose() => folder.Dispose();
}

/// <summary>Whether the system's Python has Pillow.</summary>
static class Pillow
{
    static readonly Lazy<bool> exists = new(() =>
    {
        if (!File.Exists("/usr/bin/python3")) return false;
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", "import PIL"]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    });

    public static string? Skip => exists.Value ? null : "the system's Python has no Pillow (Debian: python3-pil)";
}

/// <summary>A fact that runs only where the system's Python has Pillow.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class PillowFactAttribute : FactAttribute
{
    public PillowFactAttribute(bool needsShared = false) => Skip = Pillow.Skip ?? (needsShared ? new SharedFactAttribute().Skip : null);
}

/// <summary>A theory that runs only where the system's Python has Pillow.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class PillowTheoryAttribute : TheoryAttribute
{
    public PillowTheoryAttribute() => Skip = Pillow.Skip;
}
