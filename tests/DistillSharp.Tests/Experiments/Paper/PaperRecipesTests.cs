using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Tests.Experiments.Paper;

public class PaperRecipesTests
{
    static readonly IReadOnlyList<PaperResult> trainable = PaperResults.All;

    [Fact]
    public void Every_result_has_a_name()
    {
        Assert.Equal(131, PaperRecipes.Names.Count);
        Assert.Contains("table3/resnet56-resnet20/fsecd", PaperRecipes.Names);
        Assert.Contains("table2/wrn_40_2-wrn_40_1/fsecd-class-b512", PaperRecipes.Names);
        Assert.Contains("table2/resnet32x4-resnet8x4/ce-b1024", PaperRecipes.Names);
        Assert.Contains("table4/resnet50_cifar-mobilenet_v2_half/crd", PaperRecipes.Names);
        Assert.Contains("table5/resnet50-mobilenet_v1/dkd", PaperRecipes.Names);
        Assert.Equal(PaperResults.All.Select(result => $"teacher/{result.Teacher}").Distinct(), PaperRecipes.Teachers);
    }

    [Fact]
    public void Every_recipe_is_its_row_and_follows_the_protocol()
    {
        foreach (var result in trainable)
        {
            var recipe = PaperRecipes.Get(PaperRecipes.NameOf(result));
            Assert.Equal((result.Dataset, result.Student), (recipe.Data.Set, recipe.Student.Network));
            Assert.Equal(result.Method == "ce" ? null : result.Teacher, recipe.Teacher?.Members[0].Network);
            Assert.Equal(result.Method == "ce" ? [] : [result.Method], recipe.Methods.Select(method => method.Name));
            if (result.Policy is not null) Assert.Equal(result.Policy, recipe.Methods[0].Settings["policy"]);
            Assert.Equal(result.Batch ?? (result.Dataset == "imagenet" ? 256 : result.Method == "fsecd" ? 128 : 64), recipe.Data.Batch);
            Assert.Empty(recipe.Warnings);
            // The teacher of Finished was trained here, and ImageNet's tables follow torchvision's.
            string[] departures = result is { Dataset: "imagenet", Method: not "ce" }
                ? ["a teacher trained here instead of torchvision's"] : [];
            Assert.Equal(departures, PaperProtocol.Departures(result, Finished(recipe)));
            Assert.All(
                recipe.Resolve().Split('\n'), line =>
                    Assert.True(!line.Contains("weight: null"), $"{PaperRecipes.NameOf(result)}: {line}"));
        }
    }

    [Fact]
    public void A_recipe_scaled_down_departs()
    {
        var result = trainable.First(result => result is { Table: 3, Method: "fsecd" });
        var recipe = PaperRecipes.Get(PaperRecipes.NameOf(result), "train.epochs=24", "data.train_limit=10000");
        Assert.Empty(recipe.Warnings);
        Assert.Contains("24 epochs instead of 240", PaperProtocol.Departures(result, Finished(recipe)));
        Assert.Equal(
            ["a student that begins from trained weights"],
            PaperProtocol.Departures(result, Finished(PaperRecipes.Get(PaperRecipes.NameOf(result), "student.weights=w.pth"))));
    }

    [Fact]
    public void A_temperature_left_to_the_method_is_no_departure()
    {
        var result = trainable.First(result => result is { Table: 3, Method: "kd" });
        Assert.Empty(
            PaperProtocol.Departures(result, Finished(PaperRecipes.Get(PaperRecipes.NameOf(result), "methods.kd.temperature=null"))));
        Assert.Equal(
            ["temperature 2 instead of 4"],
            PaperProtocol.Departures(result, Finished(PaperRecipes.Get(PaperRecipes.NameOf(result), "methods.kd.temperature=2"))));
    }

    [Fact]
    public void Light_students_have_a_lower_rate()
    {
        Assert.Equal(0.01, PaperRecipes.Get("table4/resnet32x4-shufflenet_v1/kd").Train.Schedule.BaseRate);
    }

    [Fact]
    public void A_pair_has_its_published_beta()
    {
        Assert.Equal("2", PaperRecipes.Get("table3/resnet56-resnet20/dkd").Methods[0].Settings["beta"]);
        Assert.Equal("8", PaperRecipes.Get("table3/resnet32x4-resnet8x4/dkd").Methods[0].Settings["beta"]);
    }

    [Fact]
    public void ImageNets_protocol_is_in_the_resolved_recipe()
    {
        var recipe = PaperRecipes.Get("table5/resnet34-resnet18/kd").Resolve();
        foreach (var line in new[]
        {
            "  set: imagenet\n", "  size: 224\n", "  batch: 256\n", "  augment: [resized-crop, flip]\n", "  mean: [0.485, 0.456, 0.406]\n",
                "  std: [0.229, 0.224, 0.225]\n",
            "  epochs: 100\n", "  lr: 0.1\n", "  schedule: { steps: [30, 60, 90], factor: 0.1 }\n", "  momentum: 0.9\n",
                "  weight_decay: 0.0001\n", "  precision: fp32\n",
            "    temperature: 1\n", "    weight: 0.5\nce:\n  weight: 0.5\n",
        })
            Assert.Contains(line, recipe);
        Assert.Contains("beta: 0.5\n", PaperRecipes.Get("table5/resnet34-resnet18/dkd").Resolve());
        Assert.Contains(
            "schedule: { steps: [3, 6, 9], factor: 0.1 }",
            PaperRecipes.Get("table5/resnet50-mobilenet_v1/fsecd", "train.epochs=10").Resolve());
    }

    [Fact]
    public void A_teacher_learns_from_the_labels()
    {
        var recipe = PaperRecipes.Get("teacher/resnet56");
        Assert.Equal(("resnet56", null, 64, 240), (recipe.Student.Network, recipe.Teacher, recipe.Data.Batch, recipe.Train.Epochs));
        Assert.Empty(recipe.Methods);
    }

    [Theory]
    [InlineData(
        "table3/resnet56-resnet20/fsedc",
        "there is no recipe 'table3/resnet56-resnet20/fsedc', neither a file nor one of the paper's; did you mean "
        + "'table3/resnet56-resnet20/fsecd'?")]
    [InlineData("table7", "; they are named as table2/wrn_40_2-wrn_40_1/ce-b128 or teacher/wrn_40_2")]
    [InlineData("no.yaml", "cannot read the recipe 'no.yaml': the file does not exist")]
    [InlineData("table3.yaml", "cannot read the recipe 'table3.yaml': the file does not exist")]
    public void What_is_neither_a_file_nor_a_name(string source, string says) =>
        Assert.Contains(says, Assert.Throws<UserException>(() => PaperRecipes.Open(source)).Message);

    [Fact]
    public void A_file_comes_before_a_name()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["r"], "data: { set: cifar10 }\nstudent: { network: resnet8 }\n");
        Assert.Equal("resnet8", PaperRecipes.Open(folder["r"]).Student.Network);
        Assert.Equal(3, PaperRecipes.Open("table3/resnet56-resnet20/kd", "train.epochs=3").Train.Epochs);
        Assert.Contains(
            "--set train.epochs=0",
            Assert.Throws<UsageException>(() => PaperRecipes.Open("table3/resnet56-resnet20/kd", "train.epochs=0")).Message);
    }

    [Theory]
    [InlineData("cifar100-resnet56-resnet20-fsecd.yaml", "table3/resnet56-resnet20/fsecd")]
    [InlineData("cifar100-resnet56-resnet20-kd.yaml", "table3/resnet56-resnet20/kd")]
    [InlineData("cifar100-resnet56-resnet20-ce.yaml", "table3/resnet56-resnet20/ce")]
    public void The_files_in_recipes_are_the_papers_but_for_precision(string file, string name)
    {
        var recipe = Recipe.Load(Path.Combine(SourceTree.Root, "recipes", file));
        Assert.Equal(PaperRecipes.Get(name, "train.precision=auto").Resolve(), recipe.Resolve());
    }

    [Fact]
    public void Every_file_in_recipes_is_one_or_a_sweep()
    {
        var sweeps = Path.Combine(SourceTree.Root, "recipes", "sweeps");
        var files =
            Directory.GetFiles(Path.Combine(SourceTree.Root, "recipes"), "*.yaml", SearchOption.AllDirectories)
                .ToLookup(file => Path.GetDirectoryName(file) == sweeps);
        Assert.NotEmpty(files[false]);
        foreach (var file in files[false]) Assert.Empty(Recipe.Load(file).Warnings);
        Assert.NotEmpty(files[true]);
        // Their paths are meant from the project's folder.
        foreach (var file in files[true])
            Assert.All(
                Sweep.Parse(File.ReadAllText(file).Replace("recipes/extras/", Path.Combine(SourceTree.Root, "recipes/extras/")), file).Runs,
                run => Assert.Empty(run.Recipe.Warnings));
        Assert.Equal(162, Sweep.Load(Path.Combine(sweeps, "table3.yaml")).Runs.Count);
    }

    static RunSummary Finished(Recipe recipe)
    {
        var record = new RunManifest
        {
            TeacherDepartures = [],
            Name = "r", State = RunState.Finished, Dataset = recipe.Data.Set, Student = recipe.Student.Network, Seed = recipe.Train.Seed,
            Epochs = recipe.Train.Epochs, Batch = recipe.Data.Batch, Precision = recipe.Train.Precision.ToString().ToLowerInvariant(),
            TrainImages = recipe.Data.TrainLimit ?? (recipe.Data.Set == "imagenet" ? 1_281_167 : 50_000),
            TestImages = recipe.Data.TestLimit ?? (recipe.Data.Set == "imagenet" ? 50_000 : 10_000),
        };
        return new(record, record.State, "r", RecipeSettings.Of(recipe.Resolve()), recipe.Train.Epochs, null, null, null, null, null, 0);
    }
}
