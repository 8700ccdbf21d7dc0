using DistillSharp.Data;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Extending;
using DistillSharp.Tests.Data;

namespace DistillSharp.Tests.Experiments.Recipes;

public class RecipeDataTests
{
    static void Write(string folder)
    {
        foreach (var (part, count) in new[] { ("train", 200), ("t10k", 50) })
        {
            File.WriteAllBytes(
                Path.Combine(folder, $"{part}-images-idx3-ubyte"), SmallFiles.Idx(SmallFiles.Bytes(count * 784, count), count, 28, 28));
            File.WriteAllBytes(
                Path.Combine(folder, $"{part}-labels-idx1-ubyte"),
                SmallFiles.Idx([.. Enumerable.Range(0, count).Select(i => (byte)(i % 10))], count));
        }
    }

    static Recipe Of(string folder, params string[] overrides) =>
        Recipe.Parse($"data: {{ set: mnist, root: \"{folder}\" }}\nstudent: {{ network: resnet8 }}\n", "r.yaml", overrides);

    [Fact]
    public void Data_are_the_sets_own_unless_told_otherwise()
    {
        using var folder = new TemporaryFolder();
        Write(folder.Path);
        var data = Of(folder.Path).LoadData();
        Assert.Equal(("mnist", 200, 50), (data.Name, data.Train.Count, data.Test.Count));
        Assert.Equal((Toolkit.BuiltIn.Datasets["mnist"].Mean, Toolkit.BuiltIn.Datasets["mnist"].Std), (data.Mean, data.Std));
        Assert.Equal(new Augmentation(new PadAndCrop()), Of(folder.Path).ToTrainingOptions().Augmentation);
    }

    [Fact]
    public void Normalization_and_limits_arrive()
    {
        using var folder = new TemporaryFolder();
        Write(folder.Path);
        string[] given = ["data.mean=[0.1,0.2,0.3]", "data.std=[0.4,0.5,0.6]", "data.train_limit=100", "data.test_limit=20"];
        var data = Of(folder.Path, given).LoadData();
        Assert.Equal((100, 20), (data.Train.Count, data.Test.Count));
        Assert.Equal([0.1f, 0.2f, 0.3f], data.Normalization.Mean.ToArray());
        Assert.Equal([0.4f, 0.5f, 0.6f], data.Normalization.Std.ToArray());

        var otherSeed = Of(folder.Path, [.. given, "train.seed=5"]).LoadData();
        Assert.Equal(data.Train.Pixels.ToArray(), otherSeed.Train.Pixels.ToArray());
    }

    [Fact]
    public void Other_channels_than_the_images_have_are_refused_with_the_line()
    {
        using var folder = new TemporaryFolder();
        Write(folder.Path);
        var error = Assert.Throws<UsageException>(() => Of(folder.Path, "data.mean=[0.5]", "data.std=[0.5]").LoadData());
        Assert.Equal("r.yaml:1: the normalization has 1 channels, but the images of mnist have 3", error.Message);
    }
}
