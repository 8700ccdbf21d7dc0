namespace DistillSharp.Cli.Tests.WrongInput;

public class WrongRecipeTests : WrongInputTests
{
    [Theory]
    [InlineData("epoch: 1", ":3: train has no key 'epoch'; did you mean 'epochs'?")]
    [InlineData("epochs: many", ":3: train.epochs is 'many'; it must be a whole number from 1 to 1000000")]
    [InlineData("lr: [0.1]", ":3: train.lr is a list; it must be a number")]
    [InlineData("epochs: 0", ":3: train.epochs is '0'; it must be a whole number from 1 to 1000000")]
    [InlineData("lr: -1", ":3: train.lr is '-1'; it must be a number above 0")]
    [InlineData("nesterov: true, momentum: 0", ":3: train.nesterov looks ahead along the momentum, but train.momentum is 0")]
    public void An_unknown_key_a_wrong_type_an_impossible_value_or_a_contradiction(string train, string said)
    {
        Write(train: train);
        TrainRefused(2, Recipe + said);
    }

    [Fact]
    public void Settings_of_several_sections_that_contradict_each_other()
    {
        Write(teacher: "methods: [kd]");
        TrainRefused(2, $"{Recipe}:4: kd needs a teacher, and the recipe has none");
        Write(teacher: $"teacher: {{ network: resnet8, weights: '{Recipe}' }}");
        TrainRefused(2, $"{Recipe}:4: the recipe has a teacher, but no method that uses one");
    }

    [Theory]
    [InlineData("", "the recipe is empty")]
    [InlineData("data: {", "not valid YAML")]
    public void An_empty_file_or_no_yaml(string content, string said)
    {
        File.WriteAllText(Recipe, content);
        TrainRefused(2, Recipe, said);
    }

    [Fact]
    public void A_file_of_100_MB()
    {
        using (var file = File.OpenWrite(Recipe)) file.SetLength(100 << 20);
        var before = GC.GetTotalAllocatedBytes();
        TrainRefused(1, $"{Recipe}: larger than 1 MB, and so no recipe");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 50 << 20);
    }

    [Fact]
    public void A_file_that_is_no_text()
    {
        File.WriteAllBytes(Recipe, [0x80, 0x02, 0xff]);
        TrainRefused(1, $"{Recipe}: not a text in UTF-8, and so no recipe");
    }
}
