using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace FashionMnist;

/// <summary>A network of one's own: three convolutions with batch norm, each halving the image, and a linear classifier.</summary>
public sealed class PocketNet : Classifier
{
    static readonly long[] widths = [3, 8, 16, 32];
    readonly Conv2d[] convolutions = new Conv2d[3];
    readonly BatchNorm2d[] norms = new BatchNorm2d[3];
    readonly Linear classifier;

    public PocketNet(int classes) : base("pocketnet", classes, new InputRule(32, Multiple: 8, Min: 8))
    {
        for (var i = 0; i < convolutions.Length; i++)
        {
            convolutions[i] = Child($"conv{i}", new Conv2d(widths[i], widths[i + 1], 3, stride: 2, padding: 1));
            norms[i] = Child($"norm{i}", new BatchNorm2d(widths[i + 1]));
        }
        classifier = Child("classifier", new Linear(widths[^1], classes));
    }

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = images;
        for (var i = 0; i < convolutions.Length; i++) x = Functional.Relu(norms[i].Forward(convolutions[i].Forward(x)));
        var pooled = Functional.GlobalAvgPool(x);
        tap.Pooled(pooled);
        return classifier.Forward(pooled);
    }
}
