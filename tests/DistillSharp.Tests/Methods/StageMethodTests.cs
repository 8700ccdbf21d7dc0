using DistillSharp.Methods;
using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Tests.Methods;

/// <summary>The methods that match feature maps: FitNet, AT and OFD.</summary>
public class StageMethodTests
{
    static DistillationPair Pair(FeatureShape[] student, FeatureShape[] teacher) =>
        Make.Pair(Make.Member("small", stages: student), Make.Member("large", stages: teacher));

    static FeatureShape[] Stages(long channels, FeatureShape second) => [Make.Square(channels, 64), Make.Square(channels, 64), second];

    [Theory]
    [InlineData(8, 8, 8, 8, "1x1")]
    [InlineData(8, 8, 4, 4, "3x3")]
    [InlineData(7, 7, 4, 4, "3x3")]
    [InlineData(12, 12, 4, 4, "5x5")]
    [InlineData(8, 16, 8, 4, "1x7")]
    [InlineData(4, 4, 8, 8, "4x4")]
    [InlineData(4, 4, 12, 12, "5x5")]
    [InlineData(4, 4, 16, 16, "8x8")]
    [InlineData(4, 8, 12, 8, "5x1")]
    public void FitNet_takes_the_student_to_the_teachers_size(long h, long w, long teacherH, long teacherW, string kernel)
    {
        using var scope = TensorScope.Open();
        var method = new FitNet();
        method.Bind(Pair(Stages(3, new(3, h, w)), Stages(5, new(5, teacherH, teacherW))));
        var weight = method.NamedParameters().Single(entry => entry.Name == "conv.weight").Tensor;
        Assert.Equal(kernel, $"{weight.Size(2)}x{weight.Size(3)}");

        var (s, t) = (Make.Values(1, 2, 3, h, w).Leaf(), Make.Values(2, 2, 5, teacherH, teacherW));
        var loss = method.Loss(Make.Step(Make.Stages(s, s, s), Make.Stages(t, t, t)));
        loss.Backward();
        Assert.True(s.Grad!.Abs().Sum().Item() > 0);
    }

    [Fact]
    public void FitNet_says_which_stages_meet() =>
        Assert.Equal(
            ["fitnet: student stage 2 (3x8x8) meets teacher stage 2 (5x4x4)"],
            new FitNet().Bind(Pair(Stages(3, Make.Square(3, 8)), Stages(5, Make.Square(5, 4)))));

    [Theory]
    [InlineData(9, 4)]
    [InlineData(4, 9)]
    public void FitNet_names_the_stages_whose_sizes_clash(long student, long teacher)
    {
        var error =
            Assert.Throws<UserException>(
                () => new FitNet().Bind(Pair(Stages(3, Make.Square(3, student)), Stages(5, Make.Square(5, teacher)))));
        Assert.Contains($"stage 2 of small is 3x{student}x{student}, stage 2 of large is 5x{teacher}x{teacher}", error.Message);
    }

    [Fact]
    public void FitNet_says_when_there_is_no_second_stage()
    {
        var error =
            Assert.Throws<UserException>(
                () => new FitNet().Bind(Pair([Make.Square(3, 8), Make.Square(3, 8)], Stages(5, Make.Square(5, 4)))));
        Assert.Contains("stage 2 of small", error.Message);
    }

    [Fact]
    public void FitNets_regressor_keeps_running_statistics()
    {
        var method = new FitNet();
        method.Bind(Pair(Stages(3, Make.Square(3, 8)), Stages(5, Make.Square(5, 8))));
        Assert.Contains("bn.running_mean", method.State().Select(entry => entry.Name));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AT_compares_normalized_maps(int p)
    {
        using var scope = TensorScope.Open();
        var method = new At { P = p };
        method.Bind(Pair([Make.Square(3, 4), Make.Square(3, 4)], [Make.Square(2, 4), Make.Square(2, 4)]));
        var (s, t) = (Make.Values(1, 2, 3, 4, 4), Make.Values(2, 2, 2, 4, 4));
        var loss = method.Loss(Make.Step(Make.Stages(s, s), Make.Stages(t, t))).Item();

        double[] Q(Tensor features, int n)
        {
            var x = features.ToArray<double>();
            var channels = features.Size(1);
            double[] map =
                [.. Enumerable.Range(0, 16)
                    .Select(at => Enumerable.Range(0, (int)channels).Average(c => Math.Pow(Math.Abs(x[(n * channels + c) * 16 + at]), p)))];
            var length = Math.Sqrt(map.Sum(v => v * v));
            return [.. map.Select(v => v / length)];
        }
        var expected = Enumerable.Range(0, 2).SelectMany(n => Q(s, n).Zip(Q(t, n), (a, b) => (a - b) * (a - b))).Average();
        Assert.Equal(expected, loss, 6);
    }

    [Fact]
    public void AT_is_the_same_in_any_scale_and_finite_without_activations()
    {
        using var scope = TensorScope.Open();
        var method = new At();
        method.Bind(Pair([Make.Square(3, 4), Make.Square(3, 4)], [Make.Square(2, 4), Make.Square(2, 4)]));
        var (s, t) = (Make.Values(1, 2, 3, 4, 4), Make.Values(2, 2, 2, 4, 4));
        var loss = method.Loss(Make.Step(Make.Stages(s, s), Make.Stages(t, t))).Item();
        Assert.Equal(loss, method.Loss(Make.Step(Make.Stages(s, s * 100), Make.Stages(t, t * 0.01))).Item(), 6);

        var dead = Tensor.Zeros([2, 3, 4, 4]).Leaf();
        var finite = method.Loss(Make.Step(Make.Stages(dead, dead), Make.Stages(t, t)));
        finite.Backward();
        Assert.True(finite.AllFinite() && dead.Grad!.AllFinite());
    }

    [Fact]
    public void AT_says_which_stages_meet_and_refuses_networks_without_stages()
    {
        Assert.Equal(
            ["at: student stage 1 (3x28x28) meets teacher stage 2 (5x28x28)",
                "at: student stage 2 (3x14x14) meets teacher stage 3 (5x14x14)"],
            new At().Bind(Pair(
                [Make.Square(3, 112), Make.Square(3, 28), Make.Square(3, 14)],
                [Make.Square(5, 112), Make.Square(5, 56), Make.Square(5, 28), Make.Square(5, 14)])));
        Assert.Contains("small has 0 stages", Assert.Throws<UserException>(() => new At().Bind(Pair([], []))).Message);
    }

    static BatchNorm2d Norm(double[] weight, double[] bias)
    {
        var norm = new BatchNorm2d(weight.Length);
        using var off = Autograd.NoGrad();
        norm.Weight.CopyFrom(Tensor.From(weight));
        norm.Bias.CopyFrom(Tensor.From(bias));
        return norm;
    }

    // E[x | x < 0] for a normal x; the quotient of density and distribution at 10 is 10.098093233962512.
    [Theory]
    [InlineData(1, 0, -0.7978845608)]
    [InlineData(-2, 0, -1.5957691216)]
    [InlineData(1, 10, -0.0980932340)]
    [InlineData(0.1, 100, -0.0000999998)]
    [InlineData(0.01, 0.1, -0.0009809323)]
    [InlineData(1, -60, -60)]
    [InlineData(0, 1, 0)]
    [InlineData(0, -1, -1)]
    public void OFDs_margin_is_the_mean_of_the_negative_part(double weight, double bias, double expected)
    {
        var method = new Ofd();
        FeatureShape[] shapes = [Make.Square(1, 4), Make.Square(1, 4)];
        method.Bind(
            Make.Pair(
                Make.Member("s", preActivations: shapes), Make.Member("t", preActivations: shapes, norms: [null, Norm([weight], [bias])])));
        var margin = method.State().Single(entry => entry.Name == "margin1").Tensor.Item();
        Assert.True(Math.Abs(margin - expected) <= 1e-6 * Math.Abs(expected) + 1e-9, $"{margin} instead of {expected}");
    }

    [Fact]
    public void OFD_takes_the_stages_of_a_student_without_pre_activations()
    {
        using var scope = TensorScope.Open();
        var method = new Ofd();
        FeatureShape[] student = [Make.Square(3, 8), Make.Square(3, 4)], teacher = [Make.Square(2, 8), Make.Square(2, 8)];
        var lines =
            method.Bind(
                Make.Pair(
                    Make.Member("s", stages: student), Make.Member("t", preActivations: teacher, norms: [null, Norm([1, 1], [0, 0])])));
        Assert.Equal(["ofd: student stage 1 (3x4x4) meets teacher stage 1 (2x8x8)"], lines);
        Assert.Equal((Features.Stages, Features.PreActivations), (method.StudentFeatures, method.TeacherFeatures));

        var (s, t) = (Make.Values(1, 2, 3, 4, 4).Leaf(), Make.Values(2, 2, 2, 8, 8));
        method.Loss(Make.Step(Make.Stages(s, s), Make.PreActivations(t, t))).Backward();
        Assert.True(s.Grad!.Abs().Sum().Item() > 0);
    }

    // A target far above all that the connector gives: what the stage costs is its weight times one and the same.
    [Fact]
    public void OFD_halves_the_weight_of_each_shallower_stage()
    {
        using var scope = TensorScope.Open();
        var method = new Ofd();
        FeatureShape[] shapes = [Make.Square(1, 2), Make.Square(1, 2), Make.Square(1, 2), Make.Square(1, 2)];
        BatchNorm2d Low() => Norm([1e-6], [-1e6]);
        method.Bind(
            Make.Pair(
                Make.Member("s", preActivations: shapes), Make.Member("t", preActivations: shapes, norms: [null, Low(), Low(), Low()])));
        var s = Make.Values(1, 4, 1, 2, 2);
        var silent = Tensor.Zeros([4, 1, 2, 2]);

        double Alone(int stage)
        {
            Tensor[] t = [silent, silent, silent, silent];
            t[stage] = Tensor.Full([4, 1, 2, 2], 100);
            return method.Loss(Make.Step(Make.PreActivations(s, s, s, s), Make.PreActivations(t))).Item();
        }
        double Silent() =>
            method.Loss(Make.Step(Make.PreActivations(s, s, s, s), Make.PreActivations(silent, silent, silent, silent))).Item();
        var (none, first, second, third) = (Silent(), Alone(1) - Silent(), Alone(2) - Silent(), Alone(3) - Silent());
        Assert.True(none < 0.01 * first, $"{none} beside {first}");
        Assert.Equal(2, second / first, 2);
        Assert.Equal(4, third / first, 2);
    }

    [Fact]
    public void OFD_leaves_out_stages_of_the_teacher_without_a_norm_and_refuses_when_none_is_left()
    {
        FeatureShape[] shapes = [Make.Square(2, 8), Make.Square(2, 8), Make.Square(2, 4)];
        var student = Make.Member("s", preActivations: shapes);
        Assert.Equal(
            ["ofd: student stage 2 (2x4x4) meets teacher stage 2 (2x4x4)"],
            new Ofd().Bind(Make.Pair(student, Make.Member("t", preActivations: shapes, norms: [null, null, Norm([1, 1], [0, 0])]))));
        var error =
            Assert.Throws<UserException>(
                () => new Ofd().Bind(Make.Pair(student, Make.Member("t", preActivations: shapes, norms: [null, null, null]))));
        Assert.Contains("none of the 3 pre-activations of t has a batch norm", error.Message);
        Assert.Throws<UserException>(() => new Ofd().Bind(Make.Pair(student, Make.Member("t", stages: shapes))));
    }

    [Theory]
    [InlineData("at", false, 1000)]
    [InlineData("at", true, 1000)]
    [InlineData("fitnet", false, 100)]
    [InlineData("ofd", false, 1e-3)]
    [InlineData("ofd", true, 1e-4)]
    [InlineData("kd", false, 0.9)]
    [InlineData("kd", true, 0.5)]
    [InlineData("crd", false, 0.8)]
    [InlineData("rkd", false, 1)]
    [InlineData("dkd", true, 1)]
    [InlineData("fsecd", false, 3)]
    public void Weights_are_the_published_ones_unless_set(string name, bool imageNet, double expected)
    {
        FeatureShape[] shapes = [Make.Square(2, 8), Make.Square(2, 8), Make.Square(2, 4)];
        var member = Make.Member("x", 4, shapes, shapes, [null, null, Norm([1, 1], [0, 0])]);
        DistillationMethod Bound(Action<DistillationMethod> change)
        {
            var method = DistillationMethods.Create(name);
            change(method);
            method.Bind(Make.Pair(member, member, labels: [0, 1], imageNet: imageNet));
            return method;
        }
        Assert.Equal(expected, Bound(_ => { }).Weight);
        Assert.Equal(7, Bound(method => method.Weight = 7).Weight);
    }
}
