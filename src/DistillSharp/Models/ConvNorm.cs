namespace DistillSharp.Models;

/// <summary>A convolution, a batch norm and an activation, under the names of torchvision's Conv2dNormActivation: 0 and 1.</summary>
sealed class ConvNorm : Layer
{
    readonly Conv2d convolution;
    readonly BatchNorm2d norm;
    readonly Func<Tensor, Tensor>? activation;

    public ConvNorm(Conv2d convolution, BatchNorm2d norm, Func<Tensor, Tensor>? activation) =>
        (this.convolution, this.norm, this.activation) = (Child("0", convolution), Child("1", norm), activation);

    public override Tensor Forward(Tensor x)
    {
        // ReLU is a part of the norm's kernel.
        if (activation == Functional.Relu) return norm.ForwardRelu(convolution, x);
        using var scope = TensorScope.Open();
        var y = norm.Forward(convolution.Forward(x));
        return scope.Keep(activation is null ? y : activation(y));
    }
}

/// <summary>
/// Weighs each channel by what the means of all channels say (Hu et al., Squeeze-and-Excitation Networks, CVPR 2018, equations 2
/// to 4): x gate(fc2(activation(fc1(mean of x)))).
/// </summary>
sealed class SqueezeExcitation : Layer
{
    readonly Conv2d fc1, fc2;
    readonly Func<Tensor, Tensor> activation, gate;

    public SqueezeExcitation(long channels, long squeezed, Func<Tensor, Tensor> activation, Func<Tensor, Tensor> gate)
    {
        (this.activation, this.gate) = (activation, gate);
        fc1 = Child("fc1", new Conv2d(channels, squeezed, 1, bias: true));
        fc2 = Child("fc2", new Conv2d(squeezed, channels, 1, bias: true));
    }

    public override Tensor Forward(Tensor x)
    {
        using var scope = TensorScope.Open();
        return scope.Keep(x * gate(fc2.Forward(activation(fc1.Forward(Functional.AdaptiveAvgPool2d(x, 1))))));
    }
}
