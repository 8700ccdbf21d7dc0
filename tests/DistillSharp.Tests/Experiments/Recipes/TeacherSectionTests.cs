using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Tests.Experiments.Recipes;

/// <summary>Whom a student follows: one teacher, several, or its own average.</summary>
public class TeacherSectionTests
{
    const string Several = """
        data: { set: cifar100 }
        teacher: [ { network: resnet56, weights: a.pth, weight: 2 }, { network: wrn_40_2, weights: b.pth, mean: [0.5, 0.4, 0.3] } ]
        student: { network: resnet20 }
        methods: [kd]
        """;

    const string Own = """
        data: { set: cifar100 }
        teacher: average
        student: { network: resnet20 }
        methods: [kd]
        train: { ema: 0.99 }
        """;

    static string Mistake(string text, params string[] changes) =>
        Assert.Throws<UsageException>(() => Recipe.Parse(text, "r.yaml", changes)).Message;

    [Fact]
    public void Several_are_a_list_with_a_weight_each()
    {
        var recipe = Recipe.Parse(Several);
        Assert.Equal([("resnet56", 2.0), ("wrn_40_2", 1.0)], recipe.Teacher!.Members.Select(member => (member.Network!, member.Weight)));
        Assert.Equal("resnet56+wrn_40_2", recipe.Teacher.Name);
        Assert.Equal("resnet56+wrn_40_2-resnet20-kd-s1", RunName.Suggest(recipe));
        // What one takes otherwise is made of the images of all; a size is that of all.
        Assert.Null(recipe.ToTrainingOptions().TeacherInput);
        Assert.Equal(64, recipe.With("teacher[0].size=64", "teacher[1].size=64").ToTrainingOptions().TeacherInput!.Size);
        Assert.Contains(
            "teacher:\n  - network: resnet56\n    weights: a.pth\n    weight: 2\n"
            + "  - network: wrn_40_2\n    weights: b.pth\n    mean: [0.5, 0.4, 0.3]\n    weight: 1\nstudent:", recipe.Resolve());
        var again = Recipe.Parse(recipe.Resolve());
        Assert.Equal(recipe.Digest, again.Digest);
        Assert.Equal(RecipeSettings.Of(recipe.Resolve()), RecipeSettings.Of(again.Resolve()));
    }

    [Fact]
    public void A_weight_that_is_not_said_is_1_and_each_value_counts()
    {
        var recipe = Recipe.Parse(Several);
        Assert.Equal(recipe.Digest, recipe.With("teacher[1].weight=1").Digest);
        Assert.Equal(recipe.Digest, recipe.With("teacher.resnet56.weights=a.pth").Digest);
        string[] others =
        [
            "teacher[0].weight=3", "teacher.wrn_40_2.weights=c.pth", "teacher[1].std=[1, 1, 1]",
            "teacher={ network: resnet56, weights: a.pth }",
            "teacher=[{ network: wrn_40_2, weights: b.pth, mean: [0.5, 0.4, 0.3] }, { network: resnet56, weights: a.pth, weight: 2 }]",
        ];
        Assert.Equal(others.Length + 1, others.Select(other => recipe.With(other).Digest).Append(recipe.Digest).Distinct().Count());
    }

    [Fact]
    public void A_list_of_one_is_that_one()
    {
        var one = Recipe.Parse(Several, "x", "teacher=[{ network: resnet56, weights: a.pth }]");
        Assert.Equal(one.Digest, Recipe.Parse(Several, "x", "teacher={ network: resnet56, weights: a.pth }").Digest);
        Assert.DoesNotContain("weight: 1", one.Resolve().Split("student:")[0]);
    }

    [Fact]
    public void The_students_average_is_a_word()
    {
        var recipe = Recipe.Parse(Own);
        Assert.True(recipe.Teacher!.IsAverage && recipe.ToTrainingOptions().TeacherIsAverage);
        Assert.False(Recipe.Parse(Several).ToTrainingOptions().TeacherIsAverage);
        Assert.Equal("average-resnet20-kd-s1", RunName.Suggest(recipe));
        Assert.Contains("\nteacher: average\nstudent:", recipe.Resolve());
        Assert.Equal(recipe.Digest, Recipe.Parse(recipe.Resolve()).Digest);
        Assert.Equal(recipe.Digest, Recipe.Parse(Several, "x", "teacher=average", "train.ema=0.99").Digest);
        recipe.With("methods=[at, crd]");
    }

    [Theory]
    [InlineData("teacher=[]", "teacher is an empty list; it must be keys with values")]
    [InlineData("teacher=resnet56", "teacher is 'resnet56'; it must be keys with values, such as { network: NAME, weights: FILE }, a list")]
    [InlineData("teacher=[resnet56, wrn_40_2]", "teacher[0] is 'resnet56'; it must be keys with values")]
    [InlineData("teacher[0].wieght=2", "teacher[0] has no key 'wieght'; did you mean 'weight'?")]
    [InlineData("teacher[0].weight=0", "teacher[0].weight is '0'; it must be a number above 0")]
    [InlineData("teacher[1].weights=null", "the teacher has no weights")]
    [InlineData(
        "teacher={ network: resnet56, weights: a.pth, weight: 2 }",
        "teacher.weight says how much one of several teachers counts, and there is one; give a list of teachers, or leave it out")]
    [InlineData(
        "teacher[1].size=64",
        "the teachers take images of different sizes (resnet56 the student's, wrn_40_2 64); several see images of one size: give all the "
        + "same")]
    [InlineData(
        "methods=[kd, at]",
        "at needs features of the teacher, and several teachers are averaged by their logits alone; take a method on logits")]
    [InlineData("methods=[fsecd]", "fsecd needs features of the teacher")]
    [InlineData("methods=[]", "the recipe has a teacher, but no method that uses one")]
    [InlineData("teacher.resnet110.weights=x", "teacher has no 'resnet110'; it holds [0] resnet56, [1] wrn_40_2")]
    public void What_makes_no_sense_of_several_is_refused(string change, string says) =>
        Assert.Contains(says, Mistake(Several, change));

    [Theory]
    [InlineData(
        "train.ema=null",
        "r.yaml:2: the teacher is the moving average of the student, which train.ema keeps; give its decay, such as train.ema: 0.999")]
    [InlineData("methods=[]", "the recipe has a teacher, but no method that uses one")]
    [InlineData("teacher.mean=[0.5, 0.5, 0.5]", "teacher is 'average', a single value that has no 'mean'")]
    public void What_makes_no_sense_of_the_average_is_refused(string change, string says) => Assert.Contains(says, Mistake(Own, change));

    [Fact]
    public void Methods_on_logits_follow_several() => Recipe.Parse(Several, "x", "methods=[kd, dkd, dist, mlld]");

    [Fact]
    public void A_file_that_is_missing_is_named_with_its_line()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["a.pth"], "");
        Directory.CreateDirectory(folder["cifar-100-python"]);
        var recipe = Recipe.Parse(
            $"data: {{ set: cifar100, root: '{folder.Path}' }}\nteacher:\n  - {{ network: resnet56, weights: '{folder["a.pth"]}' }}\n"
            + "  - network: wrn_40_2\n    weights: no/such.pth\nstudent: { network: resnet20 }\nmethods: [kd]", "r.yaml");
        var error = Assert.Throws<UserException>(recipe.CheckFiles).Message;
        Assert.StartsWith("r.yaml:5: there is no file 'no/such.pth' (the teacher's)", error);
    }
}
