using DistillSharp.Data;
using DistillSharp.Extending;

namespace DistillSharp.Tests.Data;

/// <summary>
/// Folders as people have them: each is read as torchvision reads it, or refused before anything is trained, in words that help.
/// </summary>
public sealed class FolderCasesTests : IDisposable
{
    static readonly byte[] png =
        Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHABvqgf5gNwAKAAAAABJRU5ErkJggg==");
    static readonly byte[] webp = [.. "RIFF"u8, 1, 2, 3, 4, .. "WEBPVP8 "u8, 0, 0];

    readonly TemporaryFolder folder = new();

    public FolderCasesTests()
    {
        foreach (var file in new[] { "train/a/0.png", "train/a/1.png", "train/b/0.png", "train/b/1.png", "val/a/0.png", "val/b/0.png" })
            Put(file);
    }

    public void Dispose() => folder.Dispose();

    void Put(string path, byte[]? content = null)
    {
        var file = folder[path];
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content ?? png);
    }

    static Dataset Read(string root, bool skip = false) => Toolkit.BuiltIn.Datasets["image-folder"].Load(root, 32, skip);

    string Found => Read(folder.Path).Found;

    string Refusal(string? at = null) => Assert.Throws<UserException>(() => Read(at ?? folder.Path)).Message;

    [Fact]
    public void A_class_without_test_images_is_said()
    {
        Assert.Equal("4 images in 2 classes (train), 2 in 2 (test)", Found);
        File.Delete(folder["val/b/0.png"]);
        Assert.Equal("4 images in 2 classes (train), 1 in 1 (test); class b has no test images", Found);
        Directory.Delete(folder["val/b"]);
        Assert.Equal("4 images in 2 classes (train), 1 in 1 (test); class b has no test images", Found);
    }

    [Fact]
    public void Images_at_any_depth_come_in_torchvisions_order()
    {
        // os.walk's folders sorted, and the names in each.
        Put("train/a/more/0.png");
        Put("train/a/more.png");
        Put("train/b/images/deep/7.PNG");
        var data = Read(folder.Path);
        Assert.Equal([0, 0, 0, 0, 1, 1, 1], data.Train.Labels.ToArray());
        Assert.Equal("7 images in 2 classes (train), 2 in 2 (test)", data.Found);
        File.WriteAllBytes(folder["train/a/more/0.png"], png[..50]);
        Assert.Throws<DamagedImageException>(() => data.Train.Original(3).Height);
        Assert.Equal(2, data.Train.Original(2).Height);
    }

    [Fact]
    public void Unsorted_test_images_are_named_as_such()
    {
        Directory.Delete(folder["val"], recursive: true);
        Put("val/images/val_0.png");
        Put("val/val_annotations.txt", [1]);
        Assert.Contains(
            $"the test images in '{folder["val/images"]}' are not sorted into a folder for each class; "
            + $"'{folder["val/val_annotations.txt"]}' may say the class of each", Refusal());
        Directory.Delete(folder["val"], recursive: true);
        Put("val/0.png");
        Assert.Contains($"the test images in '{folder["val"]}' are not sorted", Refusal());
    }

    [Fact]
    public void What_zips_and_systems_leave_is_left_out()
    {
        Put("train/__MACOSX/a/._0.png", [1]);
        Put("train/a/._0.png", [1]);
        Put("train/a/__MACOSX/0.png", [1]);
        Put("train/.cache/0.png", [1]);
        Assert.Equal("4 images in 2 classes (train), 2 in 2 (test); left out: 1 folder __MACOSX, which a zip from a Mac leaves", Found);
    }

    [Fact]
    public void Other_kinds_are_counted()
    {
        foreach (var name in new[] { "x.tiff", "y.TIFF", "z.ppm", "notes.txt" }) Put($"train/a/{name}", webp);
        Assert.Equal("4 images in 2 classes (train), 2 in 2 (test); left out: 1 .ppm, 2 .tiff", Found);
        Put("train/c/0.tiff", webp);
        Assert.Equal(
            $"'{folder["train/c"]}' holds no images (files ending with .jpg, .jpeg, .png, .webp, .bmp, .gif); "
            + "there are 1 .ppm, 3 .tiff, which are not read",
            Refusal());
    }

    [Fact]
    public void Images_are_read_by_their_content_and_counted_where_the_name_says_otherwise()
    {
        foreach (var name in new[] { "x.webp", "x.jpg", "X.JPEG", "x.png" }) Put($"train/a/{name}", png);
        Assert.Equal(
            "8 images in 2 classes (train), 2 in 2 (test); read by content: 1 .jpeg holding PNG, 1 .jpg holding PNG, 1 .webp holding PNG",
                Found);
    }

    [Fact]
    public void Everything_wrong_is_listed_at_once()
    {
        foreach (var name in new[] { "c", "d" }) Directory.CreateDirectory(folder[$"train/{name}"]);
        Put("train/a/cut.png", png[..40]);
        Put("val/e/0.png");
        Assert.Equal(
            [
                $"the class 'e' of '{folder["val"]}' is none of '{folder["train"]}'",
                $"1 file cannot be read as images: '{folder["train/a/cut.png"]}' is a damaged PNG image: it ends early; "
                    + "mend or remove them, or leave them out by data.damaged: skip",
                $"2 classes of '{folder["train"]}' hold no images: 'c', 'd'",
            ], Refusal().Split('\n'));
    }

    [Fact]
    public void What_cannot_be_read_is_listed_at_once_or_left_out()
    {
        File.CreateSymbolicLink(folder["train/a/link.png"], folder["nowhere"]);
        Put("train/a/empty.png", []);
        Put("train/b/photo.jpg", webp);
        Put("val/b/cut.png", png[..40]);
        var said = Refusal();
        Assert.StartsWith("4 files cannot be read as images: ", said);
        Assert.Contains($"'{folder["train/a/link.png"]}' is a link to nowhere", said);
        Assert.Contains($"'{folder["train/a/empty.png"]}' is empty", said);
        Assert.Contains($"'{folder["train/b/photo.jpg"]}' is a damaged WebP image", said);
        Assert.Contains($"'{folder["val/b/cut.png"]}' is a damaged PNG image", said);
        Assert.EndsWith("leave them out by data.damaged: skip", said);

        var data = Read(folder.Path, skip: true);
        Assert.Equal("4 images in 2 classes (train), 2 in 2 (test); left out: 3 damaged, 1 damaged", data.Found);
        Assert.Equal(2, data.Limit(train: 2).Train.Count);
    }

    [SharedFact]
    public void The_shared_cases_have_their_right_outcomes()
    {
        static string At(string name) => SharedFiles.Path($"cases/folders/{name}");
        Assert.Equal("8 images in 2 classes (train), 2 in 1 (test); class a has no test images", Read(At("17-val-missing")).Found);
        Assert.Equal("8 images in 2 classes (train), 4 in 2 (test)", Read(At("19-tiny")).Found);
        Assert.StartsWith("12 images in 2 classes (train)", Read(At("19-two-levels")).Found);
        Assert.Contains("are not sorted", Refusal(At("20-tiny-val")));
        Assert.Contains("__MACOSX", Read(At("21-macosx")).Found);
        // Where it is handed on without links, the link is a file that holds its target's name.
        Assert.Contains("train/a/link.jpg' ", Refusal(At("24-broken")));
        Assert.Contains("val/b/1.jpg' is a damaged JPEG image", Refusal(At("25-cut")));
        Assert.Contains("val/b/1.jpg' is empty", Refusal(At("25-zero")));
        // What was not read when the cases were made is read by now, and what is not what its name says is counted by kind.
        Assert.StartsWith("10 images in 3 classes (train)", Read(At("26-only-webp")).Found);
        Assert.EndsWith("; left out: 1 .tiff", Read(At("26-other-kinds")).Found);
        Assert.StartsWith("11 images in 2 classes (train)", Read(At("26-other-kinds")).Found);
        Assert.EndsWith("; read by content: 1 .jpg holding WebP", Read(At("26-webp-as-jpg")).Found);
    }
}
