using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static readonly byte[] red =
        Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHABvqgf5gNwAKAAAAABJRU5ErkJggg==");

    void Put(string path, byte[]? content = null)
    {
        var file = folder[path];
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, content ?? red);
    }

    [Fact]
    public void Classes_are_the_folders_and_images_the_files()
    {
        Put("train/b/2.PNG");
        Put("train/b/1.png");
        Put("train/a/x.png");
        Put("train/a/readme.txt", [1]);
        Put("train/a/._x.png", [1]);
        Put("val/b/y.png");
        var data = Datasets.Load("image-folder", folder.Path);
        Assert.Equal(["a", "b"], data.ClassNames);
        Assert.Equal([0, 1, 1], data.Train.Labels.ToArray());
        Assert.Equal([1], data.Test.Labels.ToArray());
        Assert.Equal((224, 224, 3), (data.Train.Height, data.Train.Width, data.Train.Channels));
        var original = data.Test.Original(0);
        Assert.Equal((2, 4), (original.Height, original.Width));
        Assert.Equal([255, 0, 0], original.Pixels[..3].ToArray());
        Assert.Equal([255, 0, 0], data.Test.Image(0).Pixels[^3..].ToArray());
        Assert.Equal(224 * 224 * 3, data.Test.Image(0).Pixels.Length);
        Assert.Equal(2, data.Train.Subset(2).Count);
    }

    [Fact]
    public void A_list_of_classes_gives_another_order()
    {
        foreach (var name in new[] { "a", "b", "c" }) Put($"train/{name}/1.png");
        Put("val/b/y.png");
        var data = Ordered("c\n\n  b\na\n");
        Assert.Equal(["c", "b", "a"], data.ClassNames);
        Assert.Equal([2, 1, 0], data.Train.Labels.ToArray());
        Assert.Equal([1], data.Test.Labels.ToArray());
        Assert.Contains("names 'd', and", Assert.Throws<UserException>(() => Ordered("a\nb\nc\nd")).Message);
        Assert.Contains("leaves out 'b', 'c' of", Assert.Throws<UserException>(() => Ordered("a")).Message);
        Assert.Contains("names the class 'a' twice", Assert.Throws<UserException>(() => Ordered("a\na")).Message);
        Assert.Contains("names no class", Assert.Throws<UserException>(() => Ordered("\n")).Message);
        Assert.Contains("does not exist", Assert.Throws<UserException>(() => ClassNames.Read(folder["none.txt"])).Message);

        Dataset Ordered(string list)
        {
            File.WriteAllText(folder["classes.txt"], list);
            var set = DistillSharp.Extending.Toolkit.BuiltIn.Datasets["image-folder"];
            return set.Load(folder.Path, new ReadOptions(224) { Classes = ClassNames.Read(folder["classes.txt"]) });
        }
    }

    [Fact]
    public void ImageNet_has_a_thousand_classes()
    {
        foreach (var label in Enumerable.Range(0, 1000)) Put($"train/n{label:0000}/x.png");
        Put("val/n0007/y.png");
        var data = Datasets.Load("imagenet", folder.Path);
        Assert.Equal(("imagenet", 1000, 7), (data.Name, data.Classes, data.Test.Labels[0]));
        Assert.Equal([.485f, .456f, .406f], data.Mean);
        Assert.Equal([.229f, .224f, .225f], data.Std);
        Directory.Delete(folder["train/n0999"], recursive: true);
        Assert.Contains(
            "holds 999 folders, but ImageNet has 1000 classes",
            Assert.Throws<UserException>(() => Datasets.Load("imagenet", folder.Path)).Message);
    }

    [Fact]
    public void What_is_missing_or_damaged_is_named()
    {
        Assert.Contains("train", Refusal());
        Put("train/a/x.png");
        Assert.Contains("val", Refusal());
        Put("val/c/y.png");
        Assert.Contains("the class 'c'", Refusal());
        Directory.Delete(folder["val/c"], true);
        Directory.CreateDirectory(folder["val/a"]);
        Assert.Contains("holds no images", Refusal());
        Put("val/a/y.png", red[..40]);
        Assert.StartsWith($"1 file cannot be read as images: '{folder["val/a/y.png"]}' is a damaged PNG image", Refusal());
        Put("val/a/y.png", "no image"u8.ToArray());
        Assert.Contains("is no image", Refusal());
        Put("val/a/y.png");
        var data = Datasets.ImageFolder(folder.Path);
        // What is damaged only in its middle shows when it is read.
        Put("val/a/y.png", [.. red[..40], .. red[^12..]]);
        Assert.StartsWith(
            $"'{folder["val/a/y.png"]}' is a damaged PNG image",
            Assert.Throws<DamagedImageException>(() => data.Test.Image(0).Height).Message);
        File.Delete(folder["val/a/y.png"]);
        Assert.Contains("does not exist", Assert.Throws<DamagedImageException>(() => data.Test.Image(0).Height).Message);
    }

    string Refusal() => Assert.Throws<UserException>(() => Datasets.ImageFolder(folder.Path)).Message;

    [SharedFact]
    public void Photographs_become_batches_the_same_at_any_time_and_by_any_number_of_threads()
    {
        var data = Datasets.ImageFolder(SharedFiles.Path("data/imagenette")).Limit(train: 24, test: 10);
        Assert.Equal(10, data.Classes);
        var augmentation = new Augmentation(new ResizedCrop(), new Flip());
        Assert.Null(augmentation.VariantCount);
        var options = BatchOptions.Training(8, seed: 3, augmentation);
        var first = Epoch(options, 1);
        Assert.Equal(first, Epoch(options with { Threads = 3 }, 1));
        Assert.NotEqual(first, Epoch(options, 2));
        Assert.All(first, value => Assert.True(float.IsFinite(value)));

        var test = new BatchLoader(data.Test, data.Normalization, BatchOptions.Evaluation(5)).Epoch().Sum(batch => batch.Count);
        Assert.Equal(10, test);

        float[] Epoch(BatchOptions options, int epoch) =>
            [.. new BatchLoader(data.Train, data.Normalization, options).Epoch(epoch)
                .SelectMany(batch => batch.Images.Memory<float>().ToArray())];
    }
}
