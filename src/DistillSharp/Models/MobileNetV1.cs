namespace DistillSharp.Models;

/// <summary>
/// MobileNet for ImageNet: Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications,
/// arXiv 1704.04861, table 1. A 3x3 convolution, then thirteen times a depthwise and a 1x1 convolution. It shows no stem: its
/// stages are the last blocks at each size from a quarter of the image on.
/// </summary>
public sealed class MobileNetV1 : Classifier
{
    readonly Blocks model;
    readonly Linear fc;

    internal MobileNetV1(string name, int classes) : base(name, classes, new InputRule(224))
    {
        model = Child("model", new Blocks(
        [
            new ConvNormRelu(new Conv2d(3, 32, 3, stride: 2, padding: 1)),
            Separable(32, 64),
            Separable(64, 128, stride: 2),
            Separable(128, 128),
            Separable(128, 256, stride: 2),
            Separable(256, 256),
            Separable(256, 512, stride: 2),
            .. Enumerable.Range(0, 5).Select(_ => Separable(512, 512)),
            Separable(512, 1024, stride: 2),
            Separable(1024, 1024),
        ], 3, 5, 11, 13));
        fc = Child("fc", new Linear(1024, classes));
    }

    static ConvNormRelu Separable(long inputs, long outputs, long stride = 1) => new(
        new Conv2d(inputs, inputs, 3, stride, padding: 1, groups: inputs),
        new Conv2d(inputs, outputs, 1));

    public override Linear Head => fc;

    protected override Tensor Compute(Tensor images, FeatureTap tap) =>
        fc.Forward(tap.Pooled(Functional.GlobalAvgPool(model.Forward(images, tap))));
}
