using DistillSharp.Models;
using DistillSharp.Torch;
using DistillSharp.Torch.Layers;

namespace MyExperiment;

/// <summary>A stem and three stages, each a 3x3 convolution, a batch norm and a ReLU.</summary>
public sealed class PlainNet : Classifier
{
    readonly Conv2d[] convolutions = new Conv2d[4];
    readonly BatchNorm2d[] norms = new BatchNorm2d[4];
    readonly Linear classifier;

    // Images of 32x32 are natural; other sizes work if they are multiples of 4.
    public PlainNet(string name, int classes) : base(name, classes, new InputRule(32, Multiple: 4, Min: 4))
    {
        long[] widths = [3, 16, 16, 32, 64];
        for (var i = 0; i < convolutions.Length; i++)
        {
            // The names are those of the state in checkpoints: conv0.weight, norm0.weight, ...
            convolutions[i] = Child($"conv{i}", new Conv2d(widths[i], widths[i + 1], 3, stride: i < 2 ? 1 : 2, padding: 1));
            norms[i] = Child($"norm{i}", new BatchNorm2d(widths[i + 1]));
        }
        classifier = Child("classifier", new Linear(widths[^1], classes));
    }

    // The last layer, for methods such as SimKD that give the student the teacher's.
    public override Linear Head => classifier;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = images;
        for (var i = 0; i < convolutions.Length; i++)
        {
            var before = norms[i].Forward(convolutions[i].Forward(x));
            x = Functional.Relu(before);
            // The norm before the ReLU: OFD, with this network as the teacher, takes its margins from it.
            tap.Stage(x, before, norms[i]);
        }
        var pooled = Functional.GlobalAvgPool(x);
        tap.Pooled(pooled);
        return classifier.Forward(pooled);
    }
}
