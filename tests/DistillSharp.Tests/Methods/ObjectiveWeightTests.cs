using DistillSharp.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

public class ObjectiveWeightTests
{
    static DistillationPair Pair(int size) => new(Member(size), Member(size), 100, ReadOnlyMemory<int>.Empty);

    static PairMember Member(int size) => new("net", null!, [], new Size2(size, size));

    [Theory]
    [InlineData(32, 0.1, 0.9)]
    [InlineData(224, 0.5, 0.5)]
    public void Cross_entropy_weighs_what_the_bound_methods_ask_for(int size, double crossEntropy, double kd)
    {
        using var objective = new Objective([new Kd()]);
        objective.Bind(Pair(size));
        Assert.Equal([crossEntropy, kd], objective.Methods.Select(method => method.Weight));
    }

    [Fact]
    public void A_weight_that_is_given_stays()
    {
        using var objective = new Objective([new Kd()], crossEntropyWeight: 1);
        objective.Bind(Pair(224));
        Assert.Equal([1, 0.5], objective.Methods.Select(method => method.Weight));
        using var own = new Objective([new Kd(), new CrossEntropy { Weight = 2 }]);
        own.Bind(Pair(224));
        Assert.Equal([2, 0.5], own.Methods.Select(method => method.Weight));
    }
}
