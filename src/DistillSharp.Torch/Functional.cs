namespace DistillSharp.Torch;

/// <summary>Operators of neural networks that have no state of their own.</summary>
public static class Functional
{
    static readonly Operator conv2d = new("aten::conv2d"), batchNorm = new("aten::batch_norm"), linear = new("aten::linear");
    static readonly Operator ownConv2d = new("distillsharp::conv2d"), batchNormRelu = new("distillsharp::batch_norm_relu");
    static readonly Operator convTranspose2d = new("aten::conv_transpose2d.input"), nearest = new("aten::upsample_nearest2d");
    static readonly Operator relu = new("aten::relu"), reluInPlace = new("aten::relu_"), gelu = new("aten::gelu"), silu = new("aten::silu");
    static readonly Operator hardSwish = new("aten::hardswish"), hardSigmoid = new("aten::hardsigmoid"), logSumExp = new("aten::logsumexp");
    static readonly Operator avgPool2d = new("aten::avg_pool2d"), adaptiveAvgPool2d = new("aten::adaptive_avg_pool2d");
    static readonly Operator maxPool2d = new("aten::max_pool2d"), layerNorm = new("aten::layer_norm");
    static readonly Operator softmax = new("aten::softmax.int"), logSoftmax = new("aten::log_softmax.int");
    static readonly Operator crossEntropy = new("aten::cross_entropy_loss"), klDiv = new("aten::kl_div");
    static readonly Operator mseLoss = new("aten::mse_loss"), smoothL1 = new("aten::smooth_l1_loss"), clampMin = new("aten::clamp_min");
    static readonly Operator fakeQuantize = new("aten::fake_quantize_per_tensor_affine");
    static readonly Operator fakeQuantizeChannels = new("aten::fake_quantize_per_channel_affine");
    /// <summary>
    /// Convolution of [N, C, H, W] with a weight [O, C / groups, h, w]. 1x1 and 3x3 ones of float32 or bfloat16 in channels-last
    /// order go to kernels of this project where the processor has AVX2, all others to libtorch's operator.
    /// </summary>
    public static Tensor Conv2d(Tensor x, Tensor weight, Tensor? bias, Size2 stride, Size2 padding, Size2 dilation, long groups)
    {
        if (!OperatorTrace.IsRecording) return ownConv2d.Call(x, weight, bias, stride, padding, dilation, groups);
        if (x.Size(0) > 0) return conv2d.Call(x, weight, bias, stride, padding, dilation, groups);
        // A batch without images shows shapes. libtorch 1.13 refuses it with a weight in channels-last order, whose values do not matter.
        using var scope = TensorScope.Open();
        return scope.Keep(conv2d.Call(x, Tensor.Empty([.. weight.Shape]), bias, stride, padding, dilation, groups));
    }

    /// <summary>Transposed convolution of [N, C, H, W] with a weight [C, O / groups, h, w].</summary>
    public static Tensor ConvTranspose2d(Tensor x, Tensor weight, Tensor? bias, Size2 stride, Size2 padding) =>
        convTranspose2d.Call(x, weight, bias, stride, padding);

    /// <summary>Batch normalization over all dimensions but the second. In training the running statistics move in place.</summary>
    public static Tensor BatchNorm(
        Tensor x, Tensor weight, Tensor bias, Tensor runningMean, Tensor runningVar, bool training, double momentum, double epsilon) =>
        batchNorm.Call(x, weight, bias, runningMean, runningVar, training, momentum, epsilon, true);

    /// <summary>
    /// Batch normalization in training, then the addition of a residual, then ReLU where it is asked for, as one operator: for
    /// float32 and bfloat16 in channels-last order on the processor a kernel of this project, which computes in float32 and
    /// rounds once; for everything else libtorch's operators one after the other.
    /// </summary>
    public static Tensor BatchNormRelu(
        Tensor x, Tensor weight, Tensor bias, Tensor runningMean, Tensor runningVar, Tensor? residual, bool relu, double momentum,
        double epsilon) =>
        batchNormRelu.Call(x, weight, bias, runningMean, runningVar, residual, relu, momentum, epsilon);

    /// <summary>x W' + b for x [..., I] and W [O, I].</summary>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias) => linear.Call(x, weight, bias);

    /// <summary>max(x, 0).</summary>
    public static Tensor Relu(Tensor x) => relu.Call(x);

    /// <summary>max(x, 0), written over x.</summary>
    public static Tensor ReluInPlace(Tensor x)
    {
        reluInPlace.CallInPlace(x);
        return x;
    }

    /// <summary>
    /// scale (clamp(round(x / scale) + zeroPoint, least, largest) - zeroPoint): float32 that whole numbers can stand for. The gradient is
    /// that of x where nothing was clamped, and 0 elsewhere (arXiv:1308.3432).
    /// </summary>
    public static Tensor FakeQuantize(Tensor x, double scale, long zeroPoint, long least, long largest) =>
        fakeQuantize.Call(x, scale, zeroPoint, least, largest);

    /// <summary>The same with a scale [C] for each place along a dimension of C, and 0 standing for 0.</summary>
    public static Tensor FakeQuantize(Tensor x, Tensor scales, long dimension, long least, long largest)
    {
        using var scope = TensorScope.Open();
        var zeros = Tensor.Zeros([scales.Count], DType.Int32, scales.Device);
        return scope.Keep(fakeQuantizeChannels.Call(x, scales, zeros, dimension, least, largest));
    }

    /// <summary>x P(X &lt;= x) for a normally distributed X (Hendrycks and Gimpel 2016), exactly.</summary>
    public static Tensor Gelu(Tensor x) => gelu.Call(x);

    /// <summary>x sigmoid(x).</summary>
    public static Tensor Silu(Tensor x) => silu.Call(x);

    /// <summary>min(max(x + 3, 0), 6) / 6.</summary>
    public static Tensor HardSigmoid(Tensor x) => hardSigmoid.Call(x);

    /// <summary>x hardsigmoid(x) (Howard et al., MobileNetV3, 2019).</summary>
    public static Tensor HardSwish(Tensor x) => hardSwish.Call(x);

    /// <summary>Layer normalization of [..., C] over its last dimension, with a scale and a shift [C].</summary>
    public static Tensor LayerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon) =>
        layerNorm.Call(x, new[] { weight.Size(0) }, weight, bias, epsilon);

    /// <summary>Means over windows.</summary>
    public static Tensor AvgPool2d(Tensor x, Size2 kernel, Size2? stride = null, Size2 padding = default) =>
        avgPool2d.Call(x, kernel, stride ?? kernel, padding);

    /// <summary>Largest values of windows.</summary>
    public static Tensor MaxPool2d(Tensor x, Size2 kernel, Size2? stride = null, Size2 padding = default) =>
        maxPool2d.Call(x, kernel, stride ?? kernel, padding);

    /// <summary>Means over windows chosen so that the output has that size.</summary>
    public static Tensor AdaptiveAvgPool2d(Tensor x, Size2 size)
    {
        var (height, width) = (x.Size(2), x.Size(3));
        // Windows of one size: unlike the general operator's, their gradient on a GPU has the same bits each time.
        return size is not { Height: 1, Width: 1 } && height % size.Height == 0 && width % size.Width == 0
            ? AvgPool2d(x, new(height / size.Height, width / size.Width)) : adaptiveAvgPool2d.Call(x, size);
    }

    /// <summary>[N, C, H, W] in another height and width, each value being that of the nearest place.</summary>
    public static Tensor ResizeNearest(Tensor x, Size2 size) => nearest.Call(x, size, Argument.None, Argument.None);

    /// <summary>The mean over height and width: [N, C, H, W] to [N, C].</summary>
    public static Tensor GlobalAvgPool(Tensor x)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(AvgPool2d(x, new(x.Size(2), x.Size(3))).Flatten(1));
    }

    /// <summary>Softmax along a dimension.</summary>
    public static Tensor Softmax(Tensor x, long dimension = -1) => softmax.Call(x, dimension, Argument.None);

    /// <summary>Logarithm of the softmax along a dimension, stable for large inputs.</summary>
    public static Tensor LogSoftmax(Tensor x, long dimension = -1) => logSoftmax.Call(x, dimension, Argument.None);

    /// <summary>log(sum(exp(x))) along a dimension, stable for large inputs.</summary>
    public static Tensor LogSumExp(Tensor x, long dimension = -1, bool keep = false) => logSumExp.Call(x, new[] { dimension }, keep);

    /// <summary>The mean over the batch of -log softmax(logits)[label]: logits [N, K], labels int64 [N].</summary>
    /// <param name="logits">[N, K].</param>
    /// <param name="labels">int64 [N].</param>
    /// <param name="smoothing">The share of each label that is spread evenly over all classes.</param>
    public static Tensor CrossEntropy(Tensor logits, Tensor labels, double smoothing = 0) =>
        smoothing == 0 ? crossEntropy.Call(logits, labels) : crossEntropy.Call(logits, labels, Argument.None, 1L, -100L, smoothing);

    /// <summary>-log softmax(logits)[label] of each image, [N]: logits [N, K], labels int64 [N].</summary>
    /// <inheritdoc cref="CrossEntropy"/>
    public static Tensor CrossEntropies(Tensor logits, Tensor labels, double smoothing = 0) =>
        crossEntropy.Call(logits, labels, Argument.None, 0L, -100L, smoothing);

    /// <summary>The Kullback-Leibler divergence of each element: target (log target - log prediction), 0 where the target is 0.</summary>
    /// <param name="logPrediction">Log-probabilities.</param>
    /// <param name="target">Probabilities of the same shape, or their logarithms.</param>
    /// <param name="targetIsLog">Whether the target comes as logarithms.</param>
    public static Tensor KlDivergence(Tensor logPrediction, Tensor target, bool targetIsLog = true) =>
        klDiv.Call(logPrediction, target, 0L, targetIsLog);

    /// <summary>The mean squared difference.</summary>
    public static Tensor MeanSquaredError(Tensor a, Tensor b) => mseLoss.Call(a, b, 1L);

    /// <summary>The mean of the smooth L1 (Huber, beta 1) difference.</summary>
    public static Tensor SmoothL1(Tensor a, Tensor b) => smoothL1.Call(a, b, 1L, 1.0);

    /// <summary>Divides by the Euclidean norm along a dimension, but by no less than epsilon.</summary>
    public static Tensor Normalize(Tensor x, long dimension = 1, double epsilon = 1e-12)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(x / clampMin.Call(x.Norm(dimension, keep: true), epsilon));
    }
}
