namespace DistillSharp.Tests;

public class NearestTests
{
    static readonly string[] Names = ["resnet20", "resnet56", "wrn_40_2", "vgg8", "temperature", "epochs", "lr"];

    [Theory]
    [InlineData("resnet2O", "resnet20")]
    [InlineData("resent56", "resnet56")]
    [InlineData("RESNET56", "resnet56")]
    [InlineData("temprature", "temperature")]
    [InlineData("epoch", "epochs")]
    [InlineData("rl", "lr")]
    [InlineData("wrn-40-2", "wrn_40_2")]
    public void A_slip_finds_the_name(string given, string expected) => Assert.Equal(expected, Nearest.To(given, Names));

    [Theory]
    [InlineData("")]
    [InlineData("mobilenet")]
    [InlineData("x")]
    [InlineData("banana")]
    public void A_different_word_finds_none(string given) => Assert.Null(Nearest.To(given, Names));

    [Fact]
    public void The_nearest_wins_and_of_equals_the_first()
    {
        Assert.Equal("resnet32", Nearest.To("resnet33", ["resnet8x4", "resnet32", "resnet34"]));
        Assert.Equal("resnet34", Nearest.To("resnet34", ["resnet32", "resnet34"]));
        Assert.Equal("resnet8", Nearest.To("resnet-8", ["resnet18", "resnet34", "resnet8"]));
        Assert.Equal("wrn_40_2", Nearest.To("WRN 40-2", ["wrn_40_1", "wrn_40_2"]));
    }

    [Fact]
    public void A_word_of_any_length_is_answered()
    {
        Assert.Null(Nearest.To(new string('a', 1_000_000), Names));
        Assert.Null(Nearest.To("abc", [new string('a', 1_000_000)]));
    }

    [Fact]
    public void The_hint_ends_a_sentence()
    {
        Assert.Equal("; did you mean 'epochs'?", Nearest.Hint("epoch", Names));
        Assert.Equal("", Nearest.Hint("banana", Names));
    }
}
