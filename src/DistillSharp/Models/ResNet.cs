namespace DistillSharp.Models;

/// <summary>
/// The residual networks of He et al., Deep Residual Learning for Image Recognition, CVPR 2016, in three forms:
/// <list type="bullet">
/// <item>for CIFAR (section 4.2; three stages): resnetD with D = 6n + 2 layers, and the x4 forms, four times as wide with a stem of
/// 32 channels; projections where the shape changes, as the public distillation benchmarks have them;</item>
/// <item>for ImageNet (table 1; four stages): resnet18 to resnet152 with torchvision's state names, and the wide ones of Zagoruyko
/// and Komodakis, BMVC 2016, whose 3x3 convolutions are twice as wide (wide_resnetD_2);</item>
/// <item>those of ImageNet with a 3x3 stem for small images: resnetD_cifar.</item>
/// </list>
/// </summary>
public sealed class ResNet : Classifier
{
    readonly Conv2d conv1;
    readonly BatchNorm2d bn1;
    readonly bool large;
    readonly Blocks[] stages;
    readonly Linear classifier;

    sealed record Form(bool LargeImages, string Projection, string Classifier)
    {
        public static readonly Form Cifar = new(false, "downsample", "fc"), ImageNet = Cifar with { LargeImages = true },
            ImageNetSmall = new(false, "shortcut", "linear");
    }

    delegate StageBlock MakeBlock(long inputs, long outputs, long stride, string projection);

    static readonly MakeBlock basic = ResidualBlock.Basic;
    static readonly MakeBlock bottleneck = (inputs, outputs, stride, projection) =>
        ResidualBlock.Bottleneck(inputs, outputs, outputs / 4, stride, projection);
    static readonly MakeBlock wide = (inputs, outputs, stride, projection) =>
        ResidualBlock.Bottleneck(inputs, outputs, outputs / 2, stride, projection);

    internal static void Register(Registry<NetworkFactory> networks)
    {
        void Add(string name, Form form, MakeBlock block, int[] counts, long stem, params long[] widths) =>
            networks.Add(name, (given, classes) => new ResNet(given, classes, form, block, counts, stem, widths));

        int[] Thirds(int depth) => [(depth - 2) / 6, (depth - 2) / 6, (depth - 2) / 6];
        foreach (var depth in new[] { 8, 14, 20, 32, 44, 56, 110 })
            Add($"resnet{depth}", Form.Cifar, basic, Thirds(depth), stem: 16, 16, 32, 64);
        foreach (var depth in new[] { 8, 32 })
            Add($"resnet{depth}x4", Form.Cifar, basic, Thirds(depth), stem: 32, 64, 128, 256);

        foreach (var (form, suffix) in new[] { (Form.ImageNet, ""), (Form.ImageNetSmall, "_cifar") })
        {
            Add($"resnet18{suffix}", form, basic, [2, 2, 2, 2], stem: 64, 64, 128, 256, 512);
            Add($"resnet34{suffix}", form, basic, [3, 4, 6, 3], stem: 64, 64, 128, 256, 512);
            Add($"resnet50{suffix}", form, bottleneck, [3, 4, 6, 3], stem: 64, 256, 512, 1024, 2048);
        }
        Add("resnet101", Form.ImageNet, bottleneck, [3, 4, 23, 3], stem: 64, 256, 512, 1024, 2048);
        Add("resnet152", Form.ImageNet, bottleneck, [3, 8, 36, 3], stem: 64, 256, 512, 1024, 2048);
        Add("wide_resnet50_2", Form.ImageNet, wide, [3, 4, 6, 3], stem: 64, 256, 512, 1024, 2048);
        Add("wide_resnet101_2", Form.ImageNet, wide, [3, 4, 23, 3], stem: 64, 256, 512, 1024, 2048);
    }

    ResNet(string name, int classes, Form form, MakeBlock block, int[] counts, long stem, long[] widths)
        : base(name, classes, new InputRule(form.LargeImages ? 224 : 32))
    {
        large = form.LargeImages;
        conv1 = Child("conv1", large ? new Conv2d(3, stem, 7, stride: 2, padding: 3) : new Conv2d(3, stem, 3, padding: 1));
        bn1 = Child("bn1", new BatchNorm2d(stem));
        stages = [.. counts.Select((count, s) => Child($"layer{s + 1}", new Blocks(Enumerable.Range(0, count).Select(i => i > 0
            ? block(widths[s], widths[s], 1, form.Projection)
            : block(s > 0 ? widths[s - 1] : stem, widths[s], s > 0 ? 2 : 1, form.Projection)))))];
        classifier = Child(form.Classifier, new Linear(widths[^1], classes));
        InitialWeights.HeConvolutions(this);
    }

    public override Linear Head => classifier;

    protected override Tensor Compute(Tensor images, FeatureTap tap)
    {
        var x = bn1.ForwardRelu(conv1, images);
        tap.Stage(x, x, bn1);
        if (large) x = tap.Step(x, Functional.MaxPool2d(x, 3, stride: 2, padding: 1));
        foreach (var stage in stages) x = stage.Forward(x, tap);
        return classifier.Forward(tap.Pooled(Functional.GlobalAvgPool(x)));
    }
}
