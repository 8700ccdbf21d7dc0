namespace DistillSharp.Data;

/// <summary>CIFAR-100: 50,000 + 10,000 color images of 32x32 in 100 fine classes, or in their 20 coarse groups.</summary>
sealed class Cifar100Set(bool coarse = false)
    : PublishedSet(coarse ? "cifar100-coarse" : "cifar100", [.5071f, .4867f, .4408f], [.2675f, .2565f, .2761f])
{
    // Their names stand in the files.
    public override int? ClassesIn(string root) => coarse ? 20 : 100;

    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options) => Cifar.Read100(root, coarse);
}

/// <summary>CIFAR-10: 50,000 + 10,000 color images of 32x32 in 10 classes.</summary>
sealed class Cifar10Set() : PublishedSet("cifar10", [.4914f, .4822f, .4465f], [.2470f, .2435f, .2616f])
{
    public override IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options) => Cifar.Read10(root);
}
