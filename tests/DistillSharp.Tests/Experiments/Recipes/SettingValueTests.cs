using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Tests.Experiments.Recipes;

public class SettingValueTests
{
    [Theory]
    [InlineData("5e-4", "0.0005")]
    [InlineData("[150,180, 210.0]", "[150, 180, 210]")]
    [InlineData("[crop,flip]", "[crop, flip]")]
    [InlineData("True", "true")]
    [InlineData("null", "")]
    [InlineData("[]", "[ ]")]
    public void Values_of_one_meaning_are_equal_however_they_are_written(string one, string other)
    {
        Assert.Equal(SettingValue.Read(one), SettingValue.Read(other));
        Assert.Equal(SettingValue.Read(one).GetHashCode(), SettingValue.Read(other).GetHashCode());
    }

    [Theory]
    [InlineData("1", "[1]")]
    [InlineData("[1, 2]", "[2, 1]")]
    [InlineData("[crop, flip]", "[crop]")]
    [InlineData("1", "one")]
    [InlineData("", "0")]
    [InlineData("[]", "")]
    public void Others_are_not(string one, string other) => Assert.NotEqual(SettingValue.Read(one), SettingValue.Read(other));

    [Fact]
    public void A_typed_value_equals_what_is_read()
    {
        Assert.Equal(0.05, SettingValue.Read("5e-2"));
        Assert.Equal(true, SettingValue.Read("TRUE"));
        Assert.Equal("sgd", SettingValue.Read("sgd"));
        Assert.Equal(SettingValue.List(["150.0", "180"]), SettingValue.Read("[150, 180]"));
        Assert.Equal(SettingValue.List(["crop"]), SettingValue.Read("[crop]"));
        Assert.Equal("none", SettingValue.None.ToString());
    }
}
