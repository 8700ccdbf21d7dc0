using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Extending;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Interop;
using DistillSharp.Models;
using DistillSharp.Tests.Data;
using DistillSharp.Training;

namespace DistillSharp.Tests.Experiments.Recipes;

/// <summary>The recipes for what students are trained with beside the protocol: all are right, and one is trained.</summary>
[Collection(WholeProcessCollection.Name)]
[Trait("runs", "alone")]
public class ExtraRecipesTests
{
    static readonly string folder = Path.Combine(SourceTree.Root, "recipes", "extras");

    public static TheoryData<string> Names =>
        [.. Directory.EnumerateFiles(folder, "*.yaml").Select(file => Path.GetFileName(file)).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_reads_back_as_it_was_and_is_made_for_the_whole_data_set(string name)
    {
        var recipe = Recipe.Load(Path.Combine(folder, name));
        Assert.Empty(recipe.Warnings);
        // Remarks on values that follow from the pair are not read back: they stand there then.
        var again = Recipe.Parse(recipe.Resolve());
        Assert.Equal(recipe.Digest, again.Digest);
        Assert.Equal(RecipeSettings.Of(recipe.Resolve()), RecipeSettings.Of(again.Resolve()));
        Assert.Equal(("cifar100", 240, null), (recipe.Data.Set, recipe.Train.Epochs, recipe.Data.TrainLimit));
        // A short try of it is a matter of two values.
        Assert.Equal(2, recipe.With("train.epochs=2", "data.train_limit=2000").Train.Epochs);
    }

    [Fact]
    public void Every_step_of_the_list_has_one()
    {
        var recipes = Directory.EnumerateFiles(folder, "*.yaml").Select(file => Recipe.Load(file));
        var shown = recipes.SelectMany(recipe => recipe.Data.Augment).Select(step => step.Name).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(new Toolkit().Augmentations.Names.Except(["resized-crop"]), shown);
    }

    [Fact]
    public void The_average_is_measured_and_kept_beside_the_student()
    {
        using var files = new TemporaryFolder();
        SmallFiles.Write(files["cifar-100-python"], SmallFiles.Cifar100Python(train: 40, test: 20));
        using (var teacher = Networks.Create("resnet8", 100, seed: 1))
            SafeTensorsFile.Write(files["teacher.safetensors"], teacher.StoredState());
        var recipe = Recipe.Load(Path.Combine(folder, "average.yaml"),
            $"data.root={files.Path}", "data.batch=10", "train.epochs=2", "train.ema=0.5",
            "teacher.network=resnet8", $"teacher.weights={files["teacher.safetensors"]}", "student.network=resnet8");
        var result = new Experiment(recipe, files["runs"], TrainingObserver.Of()).Run("average");
        var (_, plain) = StudentFile.Load(result.Folder);
        var (_, average) = StudentFile.Load(Path.Combine(result.Folder, StudentFile.AverageFileName));
        Assert.Equal((result.Training.Accuracy?.Top1, result.Training.AverageAccuracy?.Top1), (plain.Acc1, average.Acc1));
        Assert.NotEqual(
            File.ReadAllBytes(Path.Combine(result.Folder, StudentFile.FileName)),
            File.ReadAllBytes(Path.Combine(result.Folder, StudentFile.AverageFileName)));
        Assert.Contains("\"average_acc1\":", File.ReadAllText(Path.Combine(result.Folder, "metrics.jsonl")));
    }

    [Theory]
    [InlineData(
        "cutmix.yaml", "methods=[kd, crd]",
        "crd needs one label for each image, and data.augment's cutmix mixes two; leave one of them out")]
    [InlineData(
        "mixup.yaml", "methods=[{ name: fsecd, policy: class }]",
        "fsecd needs one label for each image, and data.augment's mixup mixes two")]
    [InlineData("mixup.yaml", "data.augment=[mixup, flip]", "augmentation 'mixup' mixes finished images, and so must come after 'flip'")]
    [InlineData(
        "accumulate.yaml", "train.accumulate=3", "a data.batch of 128 images cannot be computed in 3 equal parts (train.accumulate)")]
    [InlineData("average.yaml", "train.ema=1", "train.ema is '1'; it must be a number above 0 and below 1")]
    [InlineData(
        "color-jitter.yaml", "data.augment=[{ color-jitter: { hue: 0.6 } }]",
        "color-jitter: hue is '0.6'; it must be a number of at least 0 and at most 0.5")]
    [InlineData(
        "auto-augment.yaml", "data.augment=[{ auto-augment: { policy: coco } }]", "policy is 'coco'; it must be cifar or imagenet or svhn")]
    public void What_does_not_go_together_is_refused(string name, string change, string says) =>
        Assert.Contains(says, Assert.Throws<UsageException>(() => Recipe.Load(Path.Combine(folder, name), change)).Message);

    [Fact]
    public void Adams_learning_rate_is_its_own()
    {
        var sgd = Recipe.Load(Path.Combine(folder, "average.yaml"));
        Assert.Equal((.05, .001), (sgd.Train.Schedule.BaseRate, sgd.With("train.optimizer=adamw").Train.Schedule.BaseRate));
        Assert.Equal(.01, sgd.With("train.optimizer=adam", "train.lr=0.01").Train.Schedule.BaseRate);
    }
}
