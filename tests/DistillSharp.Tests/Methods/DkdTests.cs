using DistillSharp.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

public class DkdTests
{
    static double Loss(Dkd method, Tensor student, Tensor teacher, long[] labels, int epoch = 1000) =>
        method.Loss(Make.Step(new(student), new(teacher), labels, epoch: epoch)).Item();

    static Dkd Bound(string student = "a", string teacher = "b", bool imageNet = false, Dkd? method = null)
    {
        method ??= new();
        method.Bind(Make.Pair(Make.Member(student), Make.Member(teacher), classes: 10, imageNet: imageNet));
        return method;
    }

    // Equation 7 of the paper: KD = TCKD + (1 - p_y of the teacher) NCKD.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Its_parts_add_up_to_KD(double temperature)
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 1, 10) * 3, Make.Values(2, 1, 10) * 3);
        var others = 1 - Functional.Softmax(t / temperature).ToArray<double>()[4];
        var kd = new Kd { Temperature = temperature }.Loss(Make.Step(new(s), new(t))).Item();
        Assert.Equal(kd, Loss(new() { Temperature = temperature, Alpha = 1, Beta = others, Warmup = 0 }, s, t, [4]), 5);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.BFloat16)]
    public void Logits_of_ten_thousand_stay_finite(DType type)
    {
        using var scope = TensorScope.Open();
        var signs = Make.Values(3, 16, 10).GreaterThan(0).To(DType.Float32) * 2 - 1.0;
        var student = (signs * 1e4).To(type).Leaf();
        var teacher = (Make.Values(4, 16, 10).GreaterThan(0).To(DType.Float32) * 2e4 - 1e4).To(type);
        foreach (var temperature in new[] { 1.0, 4.0 })
        {
            using var mixed = (type == DType.BFloat16 ? Precision.Bf16 : Precision.Fp32).Enter(Device.Cpu);
            var loss = Bound(method: new() { Temperature = temperature, Warmup = 0 }).Loss(
                Make.Step(new(student), new(teacher), [.. Enumerable.Range(0, 16).Select(i => i % 10L)]));
            loss.Backward();
            Assert.True(loss.AllFinite());
            Assert.True(loss.Item() > 0);
            Assert.True(student.Grad!.AllFinite());
        }
    }

    [Fact]
    public void A_student_like_its_teacher_costs_nothing()
    {
        using var scope = TensorScope.Open();
        var logits = Make.Values(5, 6, 10) * 100;
        Assert.Equal(0, Loss(Bound(), logits, logits.Clone(), [0, 1, 2, 3, 4, 5]), 5);
    }

    [Fact]
    public void The_loss_rises_over_the_warm_up()
    {
        using var scope = TensorScope.Open();
        var (s, t) = (Make.Values(1, 4, 10), Make.Values(2, 4, 10));
        var full = Loss(Bound(), s, t, [0, 1, 2, 3], epoch: 20);
        Assert.Equal(full / 20, Loss(Bound(), s, t, [0, 1, 2, 3], epoch: 1), 5);
        Assert.Equal(full / 2, Loss(Bound(), s, t, [0, 1, 2, 3], epoch: 10), 5);
        Assert.Equal(full, Loss(Bound(), s, t, [0, 1, 2, 3], epoch: 21), 5);
    }

    [Theory]
    [InlineData("vgg8", "vgg13", false, "dkd: alpha 1, beta 6, temperature 4, warm-up over 20 epochs")]
    [InlineData("resnet20", "resnet56", false, "dkd: alpha 1, beta 2, temperature 4, warm-up over 20 epochs")]
    [InlineData("resnet8x4", "resnet32x4", false, "dkd: alpha 1, beta 8, temperature 4, warm-up over 20 epochs")]
    [InlineData("resnet18", "resnet34", true, "dkd: alpha 1, beta 0.5, temperature 1, warm-up over 1 epochs")]
    [InlineData("mobilenet_v1", "resnet50", true, "dkd: alpha 1, beta 2, temperature 1, warm-up over 1 epochs")]
    public void Each_pair_has_its_published_settings(string student, string teacher, bool imageNet, string expected) =>
        Assert.Equal(expected, Assert.Single(new Dkd().Bind(Make.Pair(Make.Member(student), Make.Member(teacher), imageNet: imageNet))));

    [Fact]
    public void What_is_set_stays() =>
        Assert.Equal(
            "dkd: alpha 1, beta 3, temperature 2, warm-up over 5 epochs",
            Assert.Single(
                new Dkd { Beta = 3, Temperature = 2, Warmup = 5 }.Bind(
                    Make.Pair(Make.Member("vgg8"), Make.Member("vgg13"), imageNet: true))));

    [Fact]
    public void A_single_class_is_refused() =>
        Assert.Contains(
            "two", Assert.Throws<UserException>(() => new Dkd().Bind(Make.Pair(Make.Member("a"), Make.Member("b"), classes: 1))).Message);
}
