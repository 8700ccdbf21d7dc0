using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace DistillSharp.Models;

/// <summary>relu(x' + bn(conv(relu(bn(conv(x)))))), x' being x or its projection (He et al. 2016, figure 5 left).</summary>
sealed class BasicBlock : StageBlock
{
    readonly Conv2d conv1, conv2;
    readonly BatchNorm2d bn1, bn2;
    readonly Sequential? projection;

    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="stride">Step of the first convolution.</param>
    /// <param name="projectionName">The name of the projection in the state.</param>
    public BasicBlock(long inputs, long outputs, long stride, string projectionName)
    {
        conv1 = Child("conv1", new Conv2d(inputs, outputs, 3, stride, padding: 1));
        bn1 = Child("bn1", new BatchNorm2d(outputs));
        conv2 = Child("conv2", new Conv2d(outputs, outputs, 3, padding: 1));
        bn2 = Child("bn2", new BatchNorm2d(outputs));
        if (Projection.Between(inputs, outputs, stride) is { } needed) projection = Child(projectionName, needed);
    }

    public override BatchNorm2d LastNorm => bn2;

    public override (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var inner = bn1.ForwardRelu(conv1, x);
        // After the main path's first convolution: so the gradients of x add up in the public implementations' order, and to the
        // same last bit.
        var residual = projection?.Forward(x) ?? x;
        var (activated, preActivation) = bn2.Activate(conv2, inner, residual, wantsPreActivation);
        return (scope.Keep(activated), scope.KeepIfAny(preActivation));
    }
}

/// <summary>
/// The same with three convolutions, 1x1, 3x3, 1x1, the middle ones narrower (figure 5 right). The stride is the
/// 3x3 convolution's, as in torchvision.
/// </summary>
sealed class Bottleneck : StageBlock
{
    readonly Conv2d conv1, conv2, conv3;
    readonly BatchNorm2d bn1, bn2, bn3;
    readonly Sequential? projection;

    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="width">Channels between.</param>
    /// <param name="stride">Step of the 3x3 convolution.</param>
    /// <param name="projectionName">The name of the projection in the state.</param>
    public Bottleneck(long inputs, long outputs, long width, long stride, string projectionName)
    {
        conv1 = Child("conv1", new Conv2d(inputs, width, 1));
        bn1 = Child("bn1", new BatchNorm2d(width));
        conv2 = Child("conv2", new Conv2d(width, width, 3, stride, padding: 1));
        bn2 = Child("bn2", new BatchNorm2d(width));
        conv3 = Child("conv3", new Conv2d(width, outputs, 1));
        bn3 = Child("bn3", new BatchNorm2d(outputs));
        if (Projection.Between(inputs, outputs, stride) is { } needed) projection = Child(projectionName, needed);
    }

    public override BatchNorm2d LastNorm => bn3;

    public override (Tensor Activated, Tensor? PreActivation) Forward(Tensor x, bool wantsPreActivation)
    {
        using var scope = TensorScope.Open();
        var inner = bn1.ForwardRelu(conv1, x);
        inner = bn2.ForwardRelu(conv2, inner);
        // As in the basic block.
        var residual = projection?.Forward(x) ?? x;
        var (activated, preActivation) = bn3.Activate(conv3, inner, residual, wantsPreActivation);
        return (scope.Keep(activated), scope.KeepIfAny(preActivation));
    }
}

static class Projection
{
    /// <summary>A 1x1 convolution with batch norm where the shape changes, else null.</summary>
    public static Sequential? Between(long inputs, long outputs, long stride) => stride == 1 && inputs == outputs
        ? null
        : new(new Conv2d(inputs, outputs, 1, stride), new BatchNorm2d(outputs));
}
