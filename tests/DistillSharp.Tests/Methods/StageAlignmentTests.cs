using DistillSharp.Methods;
using DistillSharp.Models;

namespace DistillSharp.Tests.Methods;

public class StageAlignmentTests
{
    static string Pairs(int[] student, int[] teacher) =>
        string.Join(" ", StageAlignment.Of(Shapes(student), Shapes(teacher)).Select(pair => $"{pair.Student}-{pair.Teacher}"));

    static FeatureShape[] Shapes(int[] sides) => [.. sides.Select(side => Make.Square(8, side))];

    [Theory]
    [InlineData(new[] { 32, 32, 16, 8 }, new[] { 32, 32, 16, 8 }, "1-1 2-2 3-3")]
    [InlineData(new[] { 32, 16, 8, 4 }, new[] { 32, 32, 16, 8 }, "1-1 2-2 3-3")]
    [InlineData(new[] { 16, 16, 8, 4, 2 }, new[] { 32, 16, 8, 4, 4 }, "1-1 2-2 3-3 4-4")]
    public void As_many_stages_meet_one_by_one(int[] student, int[] teacher, string expected) =>
        Assert.Equal(expected, Pairs(student, teacher));

    [Theory]
    // MobileNetV1 has no stem of its own: its first feature is as large as ResNet-50's first stage.
    [InlineData(new[] { 56, 28, 14, 7 }, new[] { 112, 56, 28, 14, 7 }, "0-1 1-2 2-3 3-4")]
    [InlineData(new[] { 112, 56, 28, 14, 7 }, new[] { 56, 28, 14, 7 }, "1-0 2-1 3-2 4-3")]
    [InlineData(new[] { 32, 32, 16, 8 }, new[] { 32, 32, 16, 8, 4 }, "1-1 2-2 3-3")]
    [InlineData(new[] { 32, 16, 8, 4 }, new[] { 32, 32, 16, 8, 4 }, "1-2 2-3 3-4")]
    public void Where_one_network_has_fewer_resolution_decides(int[] student, int[] teacher, string expected) =>
        Assert.Equal(expected, Pairs(student, teacher));

    [Fact]
    public void Of_equal_resolutions_the_nearer_in_depth_meet() =>
        Assert.Equal("1-1 2-2 3-4", Pairs([32, 16, 8, 4], [32, 16, 8, 4, 4]));

    [Theory]
    [InlineData(new int[0], new[] { 8 })]
    [InlineData(new[] { 8 }, new[] { 8 })]
    public void Without_stages_nothing_meets(int[] student, int[] teacher) => Assert.Equal("", Pairs(student, teacher));

    [Fact]
    public void The_log_says_which_stages_meet() =>
        Assert.Equal(
            ["at: student stage 1 (4x16x16) meets teacher stage 2 (6x16x16)"],
            StageAlignment.Describe(
                "at", [new(1, 2)], [Make.Square(4, 32), Make.Square(4, 16)], [Make.Square(6, 32), Make.Square(6, 32), Make.Square(6, 16)]));
}
