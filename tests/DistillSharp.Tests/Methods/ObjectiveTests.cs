using DistillSharp.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

public class ObjectiveTests
{
    static DistillationPair Pair(bool imageNet) =>
        new(new("net", null!), new("net", null!), 100, ReadOnlyMemory<int>.Empty) { IsImageNet = imageNet };

    [Theory]
    [InlineData(false, 0.1, 0.9)]
    [InlineData(true, 0.5, 0.5)]
    public void Cross_entropy_weighs_what_the_bound_methods_ask_for(bool imageNet, double crossEntropy, double kd)
    {
        using var objective = new Objective([new Kd()]);
        objective.Bind(Pair(imageNet));
        Assert.Equal([crossEntropy, kd], objective.Methods.Select(method => method.Weight));
    }

    [Fact]
    public void A_weight_that_is_given_stays()
    {
        using var objective = new Objective([new Kd()], crossEntropyWeight: 1);
        objective.Bind(Pair(imageNet: true));
        Assert.Equal([1, 0.5], objective.Methods.Select(method => method.Weight));
        using var own = new Objective([new Kd(), new CrossEntropy { Weight = 2 }]);
        own.Bind(Pair(imageNet: true));
        Assert.Equal([2, 0.5], own.Methods.Select(method => method.Weight));
    }

    [Fact]
    public void Terms_combine_and_the_second_of_a_kind_has_a_name_of_its_own()
    {
        using var scope = TensorScope.Open();
        using var objective = new Objective(
            [new Fsecd { Weight = 2 }, new Kd { Temperature = 4 }, new Rkd { Weight = 3 },
                new Fsecd { Layer = EmbeddedLayer.Logits, Weight = 0.5 }, new Rkd()]);
        objective.Bind(Make.Pair(Make.Member("s", 4), Make.Member("t", 6), classes: 5));
        var step = Make.Step(new(Make.Values(1, 3, 5), Make.Values(2, 3, 4)), new(Make.Values(3, 3, 5), Make.Values(4, 3, 6)), [0, 1, 4]);
        var terms = objective.Compute(step);
        Assert.Equal(
            ["ce", "fsecd", "kd", "rkd.distance", "rkd.angle", "fsecd-2", "rkd-2.distance", "rkd-2.angle"],
            terms.Select(term => term.Name));
        Assert.Equal(["fsecd.embed.weight", "fsecd.embed.bias"], objective.NamedParameters().Select(entry => entry.Name));

        double Value(string name) => terms.Single(term => term.Name == name).Value.Item();
        Assert.Equal(0.1 * new CrossEntropy().Loss(step).Item(), Value("ce"), 1e-6);
        Assert.Equal(0.9 * new Kd { Temperature = 4 }.Loss(step).Item(), Value("kd"), 1e-6);
        Assert.Equal(0.5 * new Fsecd { Layer = EmbeddedLayer.Logits }.Loss(step).Item(), Value("fsecd-2"), 1e-6);
        Assert.Equal(Value("rkd.angle"), 3 * Value("rkd-2.angle"), 1e-5);
    }
}
