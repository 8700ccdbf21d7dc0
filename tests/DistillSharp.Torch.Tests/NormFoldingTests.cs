using DistillSharp.Torch.Layers;

namespace DistillSharp.Torch.Tests;

public class NormFoldingTests
{
    /// <summary>conv, norm, relu, then a norm of the sum of two convolutions' outputs, which must not be folded.</summary>
    sealed class Net : Layer
    {
        public readonly Conv2d First, Second, Third;
        public readonly BatchNorm2d FirstNorm, SumNorm;

        public Net()
        {
            First = Child("first", new Conv2d(3, 8, 3, padding: 1, bias: true));
            FirstNorm = Child("first_norm", new BatchNorm2d(8));
            Second = Child("second", new Conv2d(8, 8, 3, padding: 1));
            Third = Child("third", new Conv2d(8, 8, 1));
            SumNorm = Child("sum_norm", new BatchNorm2d(8));
            using var off = Autograd.NoGrad();
            foreach (var norm in new[] { FirstNorm, SumNorm })
            {
                norm.RunningMean.UniformInPlace(-1, 1);
                norm.RunningVar.UniformInPlace(.5, 2);
                norm.Weight.UniformInPlace(.5, 2);
                norm.Bias.UniformInPlace(-1, 1);
            }
        }

        public override Tensor Forward(Tensor x)
        {
            using var scope = TensorScope.Open();
            var y = FirstNorm.ForwardRelu(First.Forward(x));
            return scope.Keep(SumNorm.ForwardRelu(Second.Forward(y) + Third.Forward(y)));
        }
    }

    [Fact]
    public void Folding_changes_nothing_but_rounding_and_can_be_undone()
    {
        using var scope = TensorScope.Open();
        using var off = Autograd.NoGrad();
        Runtime.Seed(3);
        using var net = new Net();
        net.Train(false);
        var x = Tensor.Randn([2, 3, 9, 7]).Contiguous(MemoryFormat.ChannelsLast);
        var before = net.Forward(x).ToArray<float>();
        var weight = net.First.Weight.ToArray<float>();

        using (var folding = NormFolding.Of(net, () => net.Forward(x)))
        {
            Assert.Equal(1, folding.Count);
            Assert.True(net.FirstNorm.Folded);
            Assert.False(net.SumNorm.Folded);
            var folded = net.Forward(x).ToArray<float>();
            Assert.NotEqual(before, folded);
            foreach (var (expected, actual) in before.Zip(folded)) Assert.Equal(expected, actual, 1e-4f);
            Assert.Equal(weight, net.First.Weight.ToArray<float>());
            // Folding once more finds nothing to do, and undoing that undoes nothing.
            using (var again = NormFolding.Of(net, () => net.Forward(x))) Assert.Equal(0, again.Count);
            Assert.Equal(folded, net.Forward(x).ToArray<float>());
        }
        Assert.Equal(before, net.Forward(x).ToArray<float>());
    }

    [Fact]
    public void Writing_over_the_norms_output_keeps_values_and_gradients()
    {
        using var scope = TensorScope.Open();
        Runtime.Seed(4);
        using var norm = new BatchNorm2d(6);
        var x = Tensor.Randn([4, 6, 5, 5]);
        var residual = Tensor.Randn([4, 6, 5, 5]);
        var gradient = Tensor.Randn([4, 6, 5, 5]);
        x.RequiresGrad = residual.RequiresGrad = true;

        Functional.Relu(norm.Forward(x) + residual).Backward(gradient);
        var plain = (x.Grad!.ToArray<float>(), residual.Grad!.ToArray<float>(), norm.Weight.Grad!.ToArray<float>());
        Autograd.ClearGradients([x, residual, .. norm.Parameters()]);
        var kept = residual.ToArray<float>();
        norm.ForwardRelu(x, residual).Backward(gradient);

        Assert.Equal(
            plain, (x.Grad!.ToArray<float>(), residual.Grad!.ToArray<float>(), norm.Weight.Grad!.ToArray<float>()), new ByContent());
        Assert.Equal(kept, residual.ToArray<float>());
    }

    sealed class ByContent : IEqualityComparer<(float[] X, float[] Residual, float[] Weight)>
    {
        public bool Equals((float[] X, float[] Residual, float[] Weight) a, (float[] X, float[] Residual, float[] Weight) b) =>
            a.X.SequenceEqual(b.X) && a.Residual.SequenceEqual(b.Residual) && a.Weight.SequenceEqual(b.Weight);

        public int GetHashCode((float[] X, float[] Residual, float[] Weight) value) => value.X.Length;
    }
}
