using DistillSharp.Methods;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Methods;

public class PktTests
{
    static Tensor Definition(Tensor s, Tensor t)
    {
        const double Epsilon = 1e-7;
        var (p, q) = (P(t), P(s));
        return (p * ((p + Epsilon) / (q + Epsilon)).Log()).Mean();

        static Tensor P(Tensor x)
        {
            x /= x.Norm(1, keep: true) + Epsilon;
            var K = (x.MatMul(x.Transpose()) + 1.0) / 2;
            return K / K.Sum(1, keep: true);
        }
    }

    [Theory]
    [InlineData(8, 16, 1)]
    [InlineData(64, 64, 1)]
    // A student that agrees almost with its teacher: the divergence is much smaller than the terms that it is the sum of.
    [InlineData(8, 16, 0.03)]
    [InlineData(64, 64, 0.03)]
    [InlineData(256, 640, 0.1)]
    public void It_is_the_definition_near_the_teacher_and_far_from_it(int N, int width, double apart)
    {
        using var scope = TensorScope.Open();
        var t = Make.Values(1, N, width).Abs();
        var s = (t + Make.Values(2, N, width) * apart).Abs().Leaf();
        var loss = new Pkt().Loss(Make.Step(Make.Pooled(s), Make.Pooled(t)));
        loss.Backward();

        var exact = s.Detach().To(DType.Float64).Leaf();
        var expected = Definition(exact, t.To(DType.Float64));
        expected.Backward();
        Assert.Equal(DType.Float32, loss.DType);
        var (value, gradient) = (Make.RelativeError(loss.Reshape(1), expected.Reshape(1)), Make.RelativeError(s.Grad!, exact.Grad!));
        Assert.True(value < 1e-5, $"{loss.Item()} instead of {expected.Item()}, relative error {value:0.0e+0}");
        Assert.True(gradient < 1e-4, $"relative error of the gradient {gradient:0.0e+0}");
    }
}
