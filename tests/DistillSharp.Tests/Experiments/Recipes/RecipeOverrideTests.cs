using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Tests.Experiments.Recipes;

public class RecipeOverrideTests
{
    [Fact]
    public void A_value_is_replaced_or_added()
    {
        var recipe =
            Recipe.Parse(
                RecipeTests.Small, "x", "train.epochs=2", "data.mean=[0.5,0.4,0.3]", "train.schedule.factor=0.5",
                "student={ network: resnet8 }");
        Assert.Equal(2, recipe.Train.Epochs);
        Assert.Equal([0.5f, 0.4f, 0.3f], recipe.Data.Mean!);
        Assert.Equal("resnet8", recipe.Student.Network);
        Assert.Contains("factor: 0.5", recipe.Resolve());
    }

    [Theory]
    [InlineData("methods[1].weight=5")]
    [InlineData("methods.kd.weight=5")]
    public void Methods_are_reached_by_number_and_by_name(string given)
    {
        var recipe = Recipe.Parse(RecipeTests.Small, "x", "methods=[fsecd, kd]", given);
        Assert.Equal(["3", "5"], recipe.Methods.Select(method => method.Settings["weight"]));
    }

    [Fact]
    public void A_whole_method_is_replaced()
    {
        Assert.Equal("kd", Assert.Single(Recipe.Parse(RecipeTests.Small, "x", "methods[0]=kd").Methods).Name);
        Assert.Equal(
            "2", Recipe.Parse(RecipeTests.Small, "x", "methods.fsecd={ name: kd, temperature: 2 }").Methods[0].Settings["temperature"]);
    }

    [Theory]
    [InlineData("data.batch=")]
    [InlineData("data.batch=null")]
    [InlineData("data.batch=~")]
    public void Nothing_is_the_default(string given) =>
        Assert.Equal(64, Recipe.Parse(RecipeTests.Small, "x", "data.batch=3", given).Data.Batch);

    [Fact]
    public void Later_values_win_and_defaults_follow()
    {
        var recipe = Recipe.Parse(RecipeTests.Small, "x", "train.seed=2", "train.seed=3");
        Assert.Equal(3, recipe.Train.Seed);
        var other = recipe.With("student.network=resnet8", "train.epochs=24");
        Assert.Equal((3, "resnet8"), (other.Train.Seed, other.Student.Network));
        Assert.Contains("steps: [15, 18, 21]", other.Resolve());
        Assert.Equal("resnet20", recipe.Student.Network);
    }

    [Theory]
    [InlineData("data.root=/a/b c/d", "/a/b c/d")]
    [InlineData("data.root=C:\\data", "C:\\data")]
    [InlineData("data.root=a=b", "a=b")]
    [InlineData("data.root='a, b'", "a, b")]
    [InlineData("data.root=\"[x]\"", "[x]")]
    public void Texts_arrive_as_they_are(string given, string root) =>
        Assert.Equal(root, Recipe.Parse(RecipeTests.Small, "x", given).Data.Root);

    [Theory]
    [InlineData("train.epochs", "--set train.epochs: this is no path=value")]
    [InlineData("=3", "--set =3: this is no path=value")]
    [InlineData("", "--set : this is no path=value")]
    [InlineData("train..epochs=3", "this is no path=value")]
    [InlineData("methods[x].weight=3", "this is no path=value")]
    [InlineData("methods[0.weight=3", "this is no path=value")]
    [InlineData("train.epochs=0", "--set train.epochs=0: train.epochs is '0'; it must be a whole number from 1 to 1000000")]
    [InlineData("train.epohcs=3", "--set train.epohcs=3: train has no key 'epohcs'; did you mean 'epochs'?")]
    [InlineData("epochs=3", "--set epochs=3: the recipe has no section 'epochs'; did you mean 'train.epochs'?")]
    [InlineData("tarin.epochs=3", "--set tarin.epochs=3: the recipe has no section 'tarin'; did you mean 'train'?")]
    [InlineData("data.set.name=3", "--set data.set.name=3: data.set is 'cifar100', a single value that has no 'name'")]
    [InlineData("methods[1].weight=3", "--set methods[1].weight=3: methods has no '1'; it holds [0] fsecd")]
    [InlineData(
        "methods.fsedc.weight=3", "--set methods.fsedc.weight=3: methods has no 'fsedc'; it holds [0] fsecd; did you mean 'fsecd'?")]
    [InlineData("methods[99999999999999999999].weight=3", "it holds [0] fsecd")]
    [InlineData("data.mean=0.5,0.4", "--set data.mean=0.5,0.4: the value is not one value of YAML")]
    [InlineData("data.mean=[0.5", "--set data.mean=[0.5: not valid YAML")]
    [InlineData("train.lr=&a 1", "anchors")]
    public void A_wrong_override_is_named(string given, string says)
    {
        var error = Assert.Throws<UsageException>(() => Recipe.Parse(RecipeTests.Small, "x.yaml", given));
        Assert.StartsWith("--set ", error.Message);
        Assert.Contains(says, error.Message);
    }

    [Fact]
    public void An_empty_list_of_methods_has_no_first_one() =>
        Assert.Contains("methods is an empty list; give it whole, as methods=[...]", Assert.Throws<UsageException>(() =>
            Recipe.Parse(RecipeTests.Small, "x", "methods=[]", "methods[0].weight=1")).Message);
}
