using DistillSharp.Methods;

namespace DistillSharp.Tests.Methods;

/// <summary>
/// The paper's 13 teacher-student pairs, times all methods (<see cref="PairTraining"/>). In two classes, which run side by side.
/// </summary>
[TestCaseOrderer(ByName.Type, ByName.Assembly)]
public class EveryPairTests(PairTraining.Pair pair) : PairTraining(pair), IClassFixture<PairTraining.Pair>
{
    public static TheoryData<string, string, string> Combinations => All(
        ("wrn_40_2", "wrn_16_2"), ("wrn_40_2", "wrn_40_1"), ("wrn_40_2", "shufflenet_v1"), ("resnet110", "resnet32"),
        ("resnet32x4", "resnet8x4"), ("resnet32x4", "shufflenet_v1"), ("resnet32x4", "shufflenet_v2"),
        ("resnet50_cifar", "mobilenet_v2_half"));

    public static TheoryData<string, string, string> First => All(("resnet56", "resnet20"));

    [Theory]
    [MemberData(nameof(Combinations))]
    public void It_trains(string teacher, string student, string method) => Train(teacher, student, method, steps: 1);

    // What a step leaves behind serves the next.
    [Theory]
    [MemberData(nameof(First))]
    public void It_goes_on(string teacher, string student, string method) => Train(teacher, student, method, steps: 2);

    [Fact]
    public void No_method_is_left_out() => Assert.Equal(DistillationMethods.Names, Names);
}

/// <summary>The paper's other pairs, and networks beside the paper's.</summary>
[TestCaseOrderer(ByName.Type, ByName.Assembly)]
public class EveryOtherPairTests(PairTraining.Pair pair) : PairTraining(pair), IClassFixture<PairTraining.Pair>
{
    public static TheoryData<string, string, string> Combinations => All(
        ("vgg13", "vgg8"), ("vgg13", "mobilenet_v2_half"), ("resnet34", "resnet18"), ("resnet50", "mobilenet_v1"));

    public static TheoryData<string, string, string> Others => All(
        ("resnet8x4", "mobilenet_v3_small_cifar"), ("resnet8x4", "mobilenet_v3_large_cifar"), ("resnet8x4", "efficientnet_b0_cifar"),
        ("resnet8x4", "convnext_atto_cifar"), ("densenet121", "mobilenet_v2"));

    [Theory]
    [MemberData(nameof(Combinations))]
    public void It_trains(string teacher, string student, string method) => Train(teacher, student, method, steps: 1);

    [Theory]
    [MemberData(nameof(Others))]
    public void Others_train(string teacher, string student, string method) => Train(teacher, student, method, steps: 1, exact: false);
}
