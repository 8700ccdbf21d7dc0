namespace DistillSharp.Models;

/// <summary>relu(x' + bn(conv(... relu(bn(conv(x)))))), x' being x or its 1x1 projection where the shape changes (He, figure 5).</summary>
sealed class ResidualBlock : StageBlock
{
    readonly NormedConvolution[] path;
    readonly Sequential? projection;

    ResidualBlock(long inputs, long stride, string projectionName, params Conv2d[] convolutions)
    {
        path = [.. convolutions.Select((convolution, i) => Normed(i + 1, convolution))];
        var outputs = convolutions[^1].Outputs;
        if (stride != 1 || inputs != outputs)
            projection = Child(projectionName, new Sequential(new Conv2d(inputs, outputs, 1, stride), new BatchNorm2d(outputs)));
    }

    /// <summary>Two 3x3 convolutions, of which the first takes the stride (figure 5 left).</summary>
    public static ResidualBlock Basic(long inputs, long outputs, long stride, string projectionName) => new(
        inputs, stride, projectionName,
        new Conv2d(inputs, outputs, 3, stride, padding: 1), new Conv2d(outputs, outputs, 3, padding: 1));

    /// <summary>1x1, 3x3 and 1x1, the middle one narrower (figure 5 right); it takes the stride, as in torchvision.</summary>
    public static ResidualBlock Bottleneck(long inputs, long outputs, long width, long stride, string projectionName) => new(
        inputs, stride, projectionName,
        new Conv2d(inputs, width, 1), new Conv2d(width, width, 3, stride, padding: 1), new Conv2d(width, outputs, 1));

    public override BatchNorm2d LastNorm => path[^1].Norm;

    public override (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var inner = path[..^1].Aggregate(x, (y, step) => step.ForwardRelu(y));
        // After the main path's first convolution: so the gradients of x add up in the public implementations' order, and to the
        // same last bit.
        var residual = projection?.Forward(x) ?? x;
        var (activated, preActivation) = LastNorm.Activate(path[^1].Convolution, inner, residual, wantsPreActivation);
        return (scope.Keep(activated), scope.KeepIfAny(preActivation));
    }
}
