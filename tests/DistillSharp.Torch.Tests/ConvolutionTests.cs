using DistillSharp.Torch.Layers;

namespace DistillSharp.Torch.Tests;

/// <summary>
/// The direct kernels against libtorch's operator in float64, which no library's float32 stands behind: outputs and gradients must
/// agree as far as the precision reaches. On a processor without AVX2 both sides are libtorch's.
/// </summary>
public sealed class ConvolutionTests
{
    // Channels in, channels out, height, width, kernel, stride: whole tiles of 16, 12, 8 and 6 pixels, remainders of 4 and of 1,
    // Winograd's patches of 4x4 whole and cut, odd sizes, one and two blocks of output channels, everything that the networks for
    // CIFAR have.
    public static TheoryData<int, int, int, int, int, int> Shapes() => new()
    {
        { 16, 16, 32, 32, 3, 1 }, { 32, 32, 16, 16, 3, 1 }, { 64, 64, 8, 8, 3, 1 }, { 48, 16, 9, 13, 3, 1 }, { 8, 48, 5, 7, 3, 1 },
        { 16, 32, 4, 4, 3, 1 }, { 16, 16, 1, 3, 3, 1 }, { 16, 32, 32, 32, 3, 2 }, { 32, 64, 16, 16, 3, 2 }, { 16, 16, 7, 9, 3, 2 },
        { 24, 48, 14, 14, 3, 2 }, { 32, 64, 32, 32, 1, 1 }, { 16, 32, 32, 32, 1, 2 }, { 40, 16, 7, 7, 1, 2 }, { 8, 80, 6, 5, 1, 1 },
        { 128, 64, 8, 8, 1, 1 }, { 192, 128, 11, 10, 3, 1 },
    };

    // Stems, channels that fill no register, as ShuffleNet has them, and what is not the kernels': 5x5.
    [Theory, MemberData(nameof(Shapes))]
    [InlineData(3, 16, 32, 32, 3, 1)]
    [InlineData(3, 64, 15, 15, 3, 2)]
    [InlineData(3, 24, 8, 8, 1, 1)]
    [InlineData(16, 24, 8, 8, 3, 1)]
    [InlineData(24, 58, 8, 8, 1, 1)]
    [InlineData(58, 58, 7, 7, 1, 1)]
    [InlineData(30, 26, 9, 9, 3, 2)]
    [InlineData(54, 20, 9, 12, 3, 1)]
    [InlineData(16, 16, 8, 8, 5, 1)]
    public void Float32_agrees_with_libtorchs_operator(int inputs, int outputs, int height, int width, int kernel, int stride) =>
        Agrees(inputs, outputs, height, width, kernel, stride, groups: 1);

    // 3x3 of each channel by itself: whole registers of channels and not, with one column, one row, odd sizes; 1x1 in groups.
    [Theory]
    [InlineData(64, 64, 16, 16, 3, 1, 64)]
    [InlineData(54, 54, 9, 7, 3, 1, 54)]
    [InlineData(60, 60, 9, 8, 3, 2, 60)]
    [InlineData(58, 58, 32, 32, 3, 2, 58)]
    [InlineData(16, 16, 5, 1, 3, 1, 16)]
    [InlineData(24, 24, 1, 2, 3, 2, 24)]
    [InlineData(12, 12, 8, 8, 3, 1, 12)]
    [InlineData(60, 240, 8, 8, 1, 1, 3)]
    [InlineData(240, 60, 7, 7, 1, 1, 3)]
    [InlineData(54, 216, 5, 6, 1, 1, 3)]
    [InlineData(32, 32, 8, 8, 1, 2, 2)]
    [InlineData(32, 32, 8, 8, 3, 1, 2)]
    public void Groups_agree_with_libtorchs_operator(int inputs, int outputs, int height, int width, int kernel, int stride, int groups) =>
        Agrees(inputs, outputs, height, width, kernel, stride, groups);

    [Fact]
    public void A_range_of_channels_is_taken_as_it_lies()
    {
        using var scope = TensorScope.Open();
        var (conv, x, _) = Draw(32, 16, 9, 9, 1, 1);
        using var layer = conv;
        var wide = Tensor.Cat([x, x * 2.0], 1).Contiguous(MemoryFormat.ChannelsLast);
        var expected = Functional.Conv2d(
            (x * 2.0).To(DType.Float64), conv.Weight.To(DType.Float64), conv.Bias?.To(DType.Float64), 1, 0, 1, 1);
        Agreement.Near("y", Agreement.Values(expected), Agreement.Values(conv.Forward(wide.Narrow(1, 32, 32))), 1e-5);
    }

    static void Agrees(int inputs, int outputs, int height, int width, int kernel, int stride, int groups)
    {
        using var scope = TensorScope.Open();
        var (conv, x, gradient) = Draw(inputs, outputs, height, width, kernel, stride, groups);
        using var layer = conv;
        var plain = Run(conv, x, gradient, MemoryFormat.Contiguous, DType.Float64);
        var ours = Run(conv, x, gradient, MemoryFormat.ChannelsLast, DType.Float32);
        foreach (var (name, expected) in plain) Agreement.Near(name, expected, ours[name], 1e-5);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Bfloat16_multiplies_rounded_numbers_and_sums_them_in_float32(
        int inputs, int outputs, int height, int width, int kernel, int stride)
    {
        using var scope = TensorScope.Open();
        var (conv, x, gradient) = Draw(inputs, outputs, height, width, kernel, stride);
        using var layer = conv;
        using (Autograd.NoGrad()) conv.Weight.CopyFrom(conv.Weight.To(DType.BFloat16).To(DType.Float32));
        (x, gradient) = (x.To(DType.BFloat16), gradient.To(DType.BFloat16));
        var exact = Run(conv, x, gradient, MemoryFormat.Contiguous, DType.Float64);
        Dictionary<string, double[]> mixed;
        using (Precision.Bf16.Enter(Device.Cpu)) mixed = Run(conv, x, gradient, MemoryFormat.ChannelsLast, DType.BFloat16);
        // Results of 8 binary digits; the weights' gradient keeps all of them.
        foreach (var (name, expected) in exact) Agreement.Near(name, expected, mixed[name], name == "weight" ? 1e-5 : 1 / 128.0);
    }

    [Fact]
    public void Bfloat16_that_no_kernel_takes_is_exact_as_well()
    {
        using var scope = TensorScope.Open();
        Runtime.Seed(5);
        var (x, depthwise) = (Tensor.Randn([4, 64, 9, 9]).To(DType.BFloat16), (Tensor.Randn([64, 1, 3, 3]) * 0.3).To(DType.BFloat16));
        var dense = (Tensor.Randn([24, 64, 5, 5]) * 0.1).To(DType.BFloat16);
        foreach (var (weight, groups) in new[] { (depthwise, 64L), (dense, 1L) })
        {
            var exact = Functional.Conv2d(x.To(DType.Float64), weight.To(DType.Float64), null, 1, 1, 1, groups);
            using var mixed = Precision.Bf16.Enter(Device.Cpu);
            var y = Functional.Conv2d(x.Contiguous(MemoryFormat.ChannelsLast), weight, null, 1, 1, 1, groups);
            Assert.Equal(DType.BFloat16, y.DType);
            Agreement.Near($"{groups} groups", Agreement.Values(exact), Agreement.Values(y), 1 / 256.0);
        }
    }

    [Fact]
    public void Bf16_stands_for_float32_where_the_processor_does_not_multiply_it()
    {
        var native = Runtime.HasNativeBf16 ? Precision.Bf16 : Precision.Fp32;
        Assert.Equal((native, Precision.Fp32), (Precision.Bf16.Resolve(Device.Cpu), Precision.Fp32.Resolve(Device.Cpu)));
        Assert.Equal(Runtime.IsBf16Faster ? Precision.Bf16 : Precision.Fp32, Precision.Auto.Resolve(Device.Cpu));
        Assert.True(Runtime.HasNativeBf16 || !Runtime.IsBf16Faster);
        Assert.Equal(Runtime.HasNativeBf16, Precision.Bf16.Departure(Device.Cpu) is null);
        Assert.Null(Precision.Auto.Departure(Device.Cpu));
        Assert.Equal((Precision.Fp32, Precision.Tf32), (Precision.Tf32.Resolve(Device.Cpu), Precision.Tf32.Resolve(Device.Cuda())));
        Assert.NotNull(Precision.Tf32.Departure(Device.Cpu));
        Assert.Equal(Precision.Bf16, Precision.Bf16.Resolve(Device.Cuda()));
    }

    [Theory]
    [InlineData(Precision.Fp32, 1e-5)]
    [InlineData(Precision.Bf16, 1 / 64.0)]
    public void A_folded_convolution_adds_and_activates_as_the_layers_do(Precision precision, double tolerance)
    {
        using var scope = TensorScope.Open();
        foreach (var (inputs, outputs, size) in new[] { (16L, 16L, 32L), (32, 64, 9), (64, 64, 8), (48, 32, 21), (16, 24, 8) })
        {
            using var net = new ConvNorm(inputs, outputs);
            var x = Tensor.Randn([4, inputs, size, size]).Contiguous(MemoryFormat.ChannelsLast);
            var residual = Tensor.Randn([4, outputs, size, size]).Contiguous(MemoryFormat.ChannelsLast);
            net.Train(false);
            using var off = Autograd.NoGrad();
            var expected = Functional.Relu(net.Norm.Forward(net.Conv.Forward(x)) + residual);
            var linear = net.Norm.Forward(net.Conv.Forward(x));
            using var folding = NormFolding.Of(net, () => net.Norm.ForwardRelu(net.Conv, x));
            Assert.Equal(1, folding.Count);
            using var mixed = precision.Enter(Device.Cpu);
            var type = precision == Precision.Bf16 ? DType.BFloat16 : DType.Float32;
            var kept = residual.To(type).To(DType.Float32).ToArray<float>();
            var added = residual.To(type).Clone();
            Agreement.Near(
                "sum", Agreement.Values(expected), Agreement.Values(net.Norm.ForwardRelu(net.Conv, x.To(type), added)), tolerance);
            Agreement.Near("linear", Agreement.Values(linear), Agreement.Values(net.Norm.Forward(net.Conv.Forward(x.To(type)))), tolerance);
            Assert.Equal(kept, added.To(DType.Float32).ToArray<float>());
        }
    }

    [Fact]
    public void The_order_of_the_threads_does_not_show()
    {
        using var scope = TensorScope.Open();
        var (conv, x, gradient) = Draw(32, 32, 16, 16, 3, 1);
        using var layer = conv;
        var first = Run(conv, x, gradient, MemoryFormat.ChannelsLast, DType.Float32);
        for (var i = 0; i < 5; i++)
            foreach (var (name, again) in Run(conv, x, gradient, MemoryFormat.ChannelsLast, DType.Float32))
                Assert.Equal(first[name], again);
    }

    sealed class ConvNorm : Module
    {
        public readonly Conv2d Conv;
        public readonly BatchNorm2d Norm;

        public ConvNorm(long inputs, long outputs)
        {
            Conv = Child("conv", new Conv2d(inputs, outputs, 3, padding: 1));
            Norm = Child("norm", new BatchNorm2d(outputs));
            using var off = Autograd.NoGrad();
            Norm.Weight.UniformInPlace(0.5, 1.5);
            Norm.Bias.UniformInPlace(-0.5, 0.5);
            Norm.RunningMean.UniformInPlace(-0.5, 0.5);
            Norm.RunningVar.UniformInPlace(0.5, 1.5);
        }
    }

    static (Conv2d Conv, Tensor X, Tensor Gradient) Draw(
        int inputs, int outputs, int height, int width, int kernel, int stride, int groups = 1)
    {
        Runtime.Seed((ulong)(inputs * outputs + height));
        var conv = new Conv2d(inputs, outputs, kernel, stride, kernel / 2, groups, bias: inputs % 16 == 8);
        long Out(int size) => (size - 1) / stride + 1;
        return (conv, Tensor.Randn([5, inputs, height, width]), Tensor.Randn([5, outputs, Out(height), Out(width)]));
    }

    // The weight is never below float32, of which the layers' masters are.
    static Dictionary<string, double[]> Run(Conv2d conv, Tensor x, Tensor gradient, MemoryFormat format, DType type)
    {
        var master = type == DType.BFloat16 ? DType.Float32 : type;
        var leaf = x.Detach().To(type).Clone(format);
        leaf.RequiresGrad = true;
        // libtorch computes in channels-last order as soon as the weight lies so.
        var weight = conv.Weight.Detach().To(master).Clone(format);
        weight.RequiresGrad = true;
        var bias = conv.Bias?.Detach().To(master).Clone();
        if (bias is not null) bias.RequiresGrad = true;
        var y = Functional.Conv2d(leaf, weight, bias, conv.Stride, conv.Padding, 1, conv.Groups);
        y.Backward(gradient.To(y.DType).Contiguous(format));
        var found = new Dictionary<string,
            double[]>
        { ["y"] = Agreement.Values(y), ["x"] = Agreement.Values(leaf.Grad!), ["weight"] = Agreement.Values(weight.Grad!) };
        if (bias is not null) found["bias"] = Agreement.Values(bias.Grad!);
        return found;
    }
}
