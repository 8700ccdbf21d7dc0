using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Tests.Experiments.Recipes;

public class RecipeSettingsTests
{
    [Fact]
    public void A_recipe_becomes_paths_and_values()
    {
        var settings = RecipeSettings.Of("""
            # the design's example
            data:    { set: cifar100, batch: 128, augment: [crop, flip], mean: [0.5070, 0.4865, 0.4409] }
            teacher: { network: resnet56, weights: "teachers/resnet56.pth" }
            methods: [ { name: fsecd, policy: instance, temperature: 0.1 }, { name: kd } ]
            train:
              lr: 5e-2
              schedule: { steps: [150, 180, 210], factor: .1 }
              weight_decay: 5e-4
              nesterov: False
              note: "007"
              warm_up: ~
            empty: []
            """);
        Assert.Equal(new Dictionary<string, string>
        {
            ["data.set"] = "cifar100", ["data.batch"] = "128", ["data.augment"] = "[crop, flip]", ["data.mean"] = "[0.507, 0.4865, 0.4409]",
            ["teacher.network"] = "resnet56", ["teacher.weights"] = "teachers/resnet56.pth",
            ["methods[0].name"] = "fsecd", ["methods[0].policy"] = "instance", ["methods[0].temperature"] = "0.1",
            ["methods[1].name"] = "kd",
            ["train.lr"] = "0.05", ["train.schedule.steps"] = "[150, 180, 210]", ["train.schedule.factor"] = "0.1",
            ["train.weight_decay"] = "0.0005", ["train.nesterov"] = "false", ["train.note"] = "007", ["train.warm_up"] = "",
            ["empty"] = "[]",
        }.OrderBy(p => p.Key, StringComparer.Ordinal), settings);
    }

    [Theory]
    [InlineData("a: [1, 2", "my.yaml:")]
    [InlineData("a: 1\nb: 2\na: 3", "my.yaml:3: 'a' is given twice")]
    [InlineData("a: &x 1\nb: *x", "my.yaml:1: anchors")]
    [InlineData("b: *x", "my.yaml:1: aliases")]
    [InlineData("a: 1\n---\nb: 2", "my.yaml:2: a second document")]
    [InlineData("[1]: 2", "my.yaml:1: a key must be a plain word")]
    [InlineData("a: \tb: c: d", "my.yaml:1")]
    public void What_is_no_recipe_is_refused_with_its_line(string text, string says)
    {
        var error = Assert.Throws<UsageException>(() => RecipeSettings.Of(text, "my.yaml"));
        Assert.StartsWith("my.yaml:", error.Message);
        Assert.Contains(says, error.Message);
    }

    [Fact]
    public void Depth_and_number_of_values_are_limited()
    {
        Assert.Contains("deep", Assert.Throws<UsageException>(() => RecipeSettings.Of(new string('[', 100_000))).Message);
        Assert.Contains("more than", Assert.Throws<UsageException>(() =>
            RecipeSettings.Of("a: [" + string.Concat(Enumerable.Repeat("1,", 200_000)) + "]")).Message);
    }

    [Fact]
    public void An_empty_recipe_has_no_settings()
    {
        Assert.Empty(RecipeSettings.Of(""));
        Assert.Empty(RecipeSettings.Of("# nothing\n"));
    }
}
