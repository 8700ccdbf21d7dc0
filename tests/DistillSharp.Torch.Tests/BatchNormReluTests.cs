using DistillSharp.Torch.Layers;

namespace DistillSharp.Torch.Tests;

/// <summary>
/// The fused kernel against libtorch's own operators, which the same layer uses in row-major order: the two must agree in
/// outputs, in every gradient and in the running statistics.
/// </summary>
// The same weights are drawn twice from libtorch's one generator: nothing else may draw meanwhile.
[Collection(nameof(LifetimeTests))]
public sealed class BatchNormReluTests
{
    public static TheoryData<int, bool, bool> Cases()
    {
        var cases = new TheoryData<int, bool, bool>();
        // Below, at and above the kernel's width of 16 channels, and no multiples of it.
        foreach (var channels in new[] { 3, 8, 16, 24, 58, 64, 130 })
            foreach (var residual in new[] { false, true })
                foreach (var relu in new[] { false, true })
                    if (relu || !residual) cases.Add(channels, residual, relu);
        return cases;
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, true)]
    public void A_single_value_of_each_channel_leaves_the_running_statistics(long images, bool moves)
    {
        using var scope = TensorScope.Open();
        using var norm = new BatchNorm2d(3);
        var x = Tensor.Full([images, 3, 1, 1], 2);
        x.RequiresGrad = true;
        var y = norm.ForwardRelu(x);
        y.Sum().Backward();
        Assert.True(norm.State().All(entry => entry.Tensor.AllFinite()));
        Assert.Equal(moves, norm.RunningMean.Abs().Max().Item() > 0);
        // Mean 0 and variance 1, as a norm begins, and its own mean where the batch has one.
        Assert.Equal(moves ? 0 : 2, y.Max().Item(), 4);
        Assert.Equal(moves ? 0 : 1, x.Grad!.Max().Item(), 4);
    }

    // Twice the same batch of mean 5 and unbiased variance 20/3: r = 0.9 r + 0.1 b, by hand. In either order of the dimensions, since
    // each has a kernel of its own.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Running_statistics_move_a_tenth_of_the_way_in_a_step(bool channelsLast)
    {
        using var scope = TensorScope.Open();
        using var norm = new BatchNorm2d(2);
        var x = Tensor.From<float>([2, 4, 20, 40, 6, 8, 60, 80], 2, 2, 2, 1);
        if (channelsLast) x = x.Contiguous(MemoryFormat.ChannelsLast);
        norm.ForwardRelu(x);
        Near([0.5, 5], norm.RunningMean);
        Near([0.9 + 0.1 * 20 / 3, 0.9 + 0.1 * 2000 / 3], norm.RunningVar);
        norm.ForwardRelu(x);
        Near([0.95, 9.5], norm.RunningMean);
        Near([0.81 + 0.19 * 20 / 3, 0.81 + 0.19 * 2000 / 3], norm.RunningVar);

        static void Near(double[] expected, Tensor actual) =>
            Assert.All(expected.Zip(actual.ToArray<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * pair.First));
    }

    [Theory, MemberData(nameof(Cases))]
    public void Float32_agrees_with_libtorchs_operators(int channels, bool residual, bool relu)
    {
        using var scope = TensorScope.Open();
        var input = Inputs(channels, residual, DType.Float32);
        var plain = Run(input, MemoryFormat.Contiguous, relu);
        var fused = Run(input, MemoryFormat.ChannelsLast, relu);
        foreach (var (name, expected) in plain) Agreement.Near(name, expected, fused[name], 2e-5);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Bfloat16_rounds_once(int channels, bool residual, bool relu)
    {
        using var scope = TensorScope.Open();
        var input = Inputs(channels, residual, DType.BFloat16);
        var exact =
            Run(new(input.X.To(DType.Float32), input.Residual?.To(DType.Float32), input.Gradient.To(DType.Float32)),
                MemoryFormat.Contiguous, relu);
        var fused = Run(input, MemoryFormat.ChannelsLast, relu);
        // Half a unit in the last of 8 binary digits. A ReLU's gradient is decided by the rounded output, whose sign rounding keeps.
        foreach (var (name, expected) in exact)
            Agreement.Near(name, expected, fused[name], name is "y" or "x" or "residual" ? 1 / 256.0 : 1e-4);
    }

    [Fact]
    public void A_mean_far_from_zero_costs_no_digits()
    {
        using var scope = TensorScope.Open();
        var input = Inputs(32, residual: false, DType.Float32);
        var far = input with { X = input.X + 1000.0 };
        // What the shift leaves of x, exactly.
        var near = input with { X = far.X - 1000.0 };
        Agreement.Near(
            "y", Run(near, MemoryFormat.ChannelsLast, relu: true)["y"], Run(far, MemoryFormat.ChannelsLast, relu: true)["y"], 1e-4);
    }

    [Fact]
    public void NaN_is_seen_and_a_residual_is_left_alone()
    {
        using var scope = TensorScope.Open();
        using var norm = new BatchNorm2d(16);
        var x = Tensor.Randn([2, 16, 4, 4]).Contiguous(MemoryFormat.ChannelsLast);
        var residual = Tensor.Randn([2, 16, 4, 4]).Contiguous(MemoryFormat.ChannelsLast);
        var kept = residual.ToArray<float>();
        Assert.True(norm.ForwardRelu(x, residual).AllFinite());
        Assert.Equal(kept, residual.ToArray<float>());
        Assert.False(norm.ForwardRelu(x * double.NaN, residual).AllFinite());
        Assert.False(norm.ForwardRelu(x.To(DType.BFloat16) * double.NaN).AllFinite());
    }

    [Fact]
    public void One_call_stands_for_three_operators()
    {
        using var scope = TensorScope.Open();
        using var norm = new BatchNorm2d(16);
        var x = Tensor.Randn([2, 16, 4, 4]).Contiguous(MemoryFormat.ChannelsLast);
        using var trace = OperatorTrace.Record();
        norm.ForwardRelu(x, x);
        Assert.Single(trace.Calls, call => call.Operator == "distillsharp::batch_norm_relu");
        Assert.DoesNotContain(trace.Calls, call => call.Operator is "aten::relu_" or "aten::batch_norm");
    }

    sealed record Input(Tensor X, Tensor? Residual, Tensor Gradient);

    static Input Inputs(int channels, bool residual, DType type)
    {
        Runtime.Seed((ulong)channels);
        // Enough rows for a second thread and for more than one chunk.
        long[] shape = [5, channels, 13, 13];
        Tensor Draw() => (Tensor.Randn(shape) * 2.0 + 0.5).To(type);
        return new(Draw(), residual ? Draw() : null, Draw());
    }

    static Dictionary<string, double[]> Run(Input input, MemoryFormat format, bool relu)
    {
        using var norm = new BatchNorm2d(input.X.Size(1));
        using (Autograd.NoGrad())
        {
            Runtime.Seed(99);
            norm.Weight.UniformInPlace(0.5, 1.5);
            norm.Bias.UniformInPlace(-0.5, 0.5);
        }
        // A kernel that reads another tensor's memory order would be seen: the copies differ in it.
        Tensor Leaf(Tensor tensor)
        {
            var leaf = tensor.Detach().Clone(format);
            leaf.RequiresGrad = true;
            return leaf;
        }
        var (x, residual) = (Leaf(input.X), input.Residual is { } more ? Leaf(more) : null);
        var y = relu ? norm.ForwardRelu(x, residual) : norm.Forward(x);
        y.Backward(input.Gradient.Contiguous(format));
        var found = new Dictionary<string, double[]>
        {
            ["y"] = Agreement.Values(y),
            ["x"] = Agreement.Values(x.Grad!),
            ["weight"] = Agreement.Values(norm.Weight.Grad!),
            ["bias"] = Agreement.Values(norm.Bias.Grad!),
            ["running_mean"] = Agreement.Values(norm.RunningMean),
            ["running_var"] = Agreement.Values(norm.RunningVar),
        };
        if (residual is not null) found["residual"] = Agreement.Values(residual.Grad!);
        return found;
    }
}
