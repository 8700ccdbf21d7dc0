namespace DistillSharp.Data;

/// <summary>The data sets that are known by name.</summary>
public static class Datasets
{
    static readonly Dictionary<string, Func<string, Dataset>> Known = new()
    {
        ["cifar100"] = root => Cifar100(root),
        ["cifar10"] = Cifar10,
        ["fashion-mnist"] = FashionMnist,
        ["mnist"] = Mnist,
        ["imagenet"] = ImageNet,
        ["image-folder"] = root => ImageFolder(root),
    };

    // Of the training images, as the public code bases round them; MNIST's one channel counts three times; for photographs those of ImageNet.
    static readonly Dictionary<string, (float[] Mean, float[] Std)> Statistics = new()
    {
        ["cifar100"] = ([.5071f, .4867f, .4408f], [.2675f, .2565f, .2761f]),
        ["cifar10"] = ([.4914f, .4822f, .4465f], [.2470f, .2435f, .2616f]),
        ["fashion-mnist"] = ([.2860f, .2860f, .2860f], [.3530f, .3530f, .3530f]),
        ["mnist"] = ([.1307f, .1307f, .1307f], [.3081f, .3081f, .3081f]),
        ["imagenet"] = ([.485f, .456f, .406f], [.229f, .224f, .225f]),
        ["image-folder"] = ([.485f, .456f, .406f], [.229f, .224f, .225f]),
    };

    /// <summary>Every name that <see cref="Load"/> takes.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>Reads a data set into memory.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="root">The folder that holds its files, its folder or its archive.</param>
    /// <exception cref="UsageException">The name is unknown.</exception>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Load(string name, string root) => Known.TryGetValue(name, out var load)
        ? load(root)
        : throw new UsageException($"unknown data set '{name}'; there are {string.Join(", ", Names)}{Nearest.Hint(name, Names)}");

    /// <summary>CIFAR-100: 50,000 + 10,000 color images of 32x32, 100 fine classes, or their 20 coarse groups.</summary>
    /// <param name="root">Holds cifar-100-python/, cifar-100-binary/ or one of their archives, or is one of these.</param>
    /// <param name="coarse">Whether labels are the coarse groups.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Cifar100(string root, bool coarse = false)
    {
        var (train, test) = Cifar.Read100(root, coarse);
        return Whole("cifar100", train, test);
    }

    /// <summary>CIFAR-10: 50,000 + 10,000 color images of 32x32 in 10 classes.</summary>
    /// <param name="root">Holds cifar-10-batches-py/, cifar-10-batches-bin/ or one of their archives, or is one of these.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Cifar10(string root)
    {
        var (train, test) = Cifar.Read10(root);
        return Whole("cifar10", train, test);
    }

    /// <summary>Fashion-MNIST: 60,000 + 10,000 gray images of clothes in 10 classes, padded to 32x32 with three equal channels.</summary>
    /// <param name="root">Holds the four IDX files, gzipped or not.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset FashionMnist(string root)
    {
        var (train, test) = Data.Mnist.Read("Fashion-MNIST", root, ["fashion-mnist", "FashionMNIST/raw"],
            ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
            "Debian's package dataset-fashion-mnist puts them into /usr/share/datasets/fashion-mnist");
        return Whole("fashion-mnist", train, test);
    }

    /// <summary>MNIST: 60,000 + 10,000 gray images of digits in 10 classes, padded to 32x32 with three equal channels.</summary>
    /// <param name="root">Holds the four IDX files, gzipped or not.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Mnist(string root)
    {
        var (train, test) = Data.Mnist.Read("MNIST", root, ["mnist", "MNIST/raw"],
            [.. Enumerable.Range(0, 10).Select(digit => digit.ToString())], "published at yann.lecun.com/exdb/mnist");
        return Whole("mnist", train, test);
    }

    /// <summary>Mean and standard deviation of each channel that a set is normalized by unless told otherwise, without reading it.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static (IReadOnlyList<float> Mean, IReadOnlyList<float> Std) NormalizationOf(string name) => Statistics[name];

    static Dataset Whole(string name, ImageSet train, ImageSet test) => new(name, train, test, Statistics[name].Mean, Statistics[name].Std);

    /// <summary>
    /// JPEG and PNG files in folders, as ImageNet is published: train/CLASS/... and val/CLASS/.... They are read when they are
    /// needed.
    /// </summary>
    /// <param name="root">Holds train/ and val/.</param>
    /// <param name="side">Height and width of the images that the network gets.</param>
    /// <exception cref="UserException">A folder is missing or holds no images.</exception>
    public static Dataset ImageFolder(string root, int side = 224)
    {
        var (train, test) = Data.ImageFolder.Read(root, side);
        return Whole("image-folder", train, test);
    }

    /// <summary>
    /// ImageNet (ILSVRC 2012): 1,281,167 + 50,000 photographs in 1,000 classes, as JPEG files in train/CLASS/ and val/CLASS/.
    /// To look at, the shorter side is scaled to 256 and the middle 224x224 cut out.
    /// </summary>
    /// <param name="root">Holds train/ and val/.</param>
    /// <exception cref="UserException">A folder is missing or holds no images, or there are not 1,000 classes.</exception>
    public static Dataset ImageNet(string root)
    {
        const int classes = 1000;
        var (train, test) = Data.ImageFolder.Read(root, side: 224);
        if (train.ClassNames.Count != classes)
            throw new UserException($"'{Path.Combine(root, "train")}' holds {train.ClassNames.Count} folders, but ImageNet has {classes} classes; a part of it, or other photographs, are the data set image-folder");
        return Whole("imagenet", train, test);
    }
}
