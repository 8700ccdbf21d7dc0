namespace DistillSharp.Data;

/// <summary>The data sets that come with the library, by name.</summary>
public static class Datasets
{
    static readonly Registry<DatasetDescription> builtIn = All().Close();

    /// <summary>Every name that <see cref="Load"/> takes, sorted.</summary>
    public static IReadOnlyCollection<string> Names => builtIn.Names;

    /// <summary>Reads a data set.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="root">The folder that holds its files, its folder or its archive.</param>
    /// <exception cref="UsageException">The name is unknown.</exception>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Load(string name, string root) => builtIn[name].Load(root);

    /// <summary>Makes a data set known by its name.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public static void Add(this Registry<DatasetDescription> datasets, DatasetDescription description) =>
        datasets.Add(description.Name, description);

    /// <summary>CIFAR-100: 50,000 + 10,000 color images of 32x32, 100 fine classes, or their 20 coarse groups.</summary>
    /// <param name="root">Holds cifar-100-python/, cifar-100-binary/ or one of their archives, or is one of these.</param>
    /// <param name="coarse">Whether labels are the coarse groups.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Cifar100(string root, bool coarse = false) => new Cifar100Set(coarse).Load(root);

    /// <summary>CIFAR-10: 50,000 + 10,000 color images of 32x32 in 10 classes.</summary>
    /// <param name="root">Holds cifar-10-batches-py/, cifar-10-batches-bin/ or one of their archives, or is one of these.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Cifar10(string root) => new Cifar10Set().Load(root);

    /// <summary>Fashion-MNIST: 60,000 + 10,000 gray images of clothes in 10 classes, padded to 32x32 with three equal channels.</summary>
    /// <param name="root">Holds the four IDX files, gzipped or not.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset FashionMnist(string root) => new FashionMnistSet().Load(root);

    /// <summary>MNIST: 60,000 + 10,000 gray images of digits in 10 classes, padded to 32x32 with three equal channels.</summary>
    /// <param name="root">Holds the four IDX files, gzipped or not.</param>
    /// <exception cref="UserException">The files are missing or damaged.</exception>
    public static Dataset Mnist(string root) => new MnistSet().Load(root);

    /// <summary>
    /// Image files in folders, as ImageNet is published: train/CLASS/... and val/CLASS/.... They are read when they are needed.
    /// </summary>
    /// <param name="root">Holds train/ and val/.</param>
    /// <param name="side">Height and width of the images that the network gets.</param>
    /// <exception cref="UserException">A folder is missing or holds no images.</exception>
    public static Dataset ImageFolder(string root, int side = 224) => new ImageFolderSet().Load(root, side);

    /// <summary>
    /// ImageNet (ILSVRC 2012): 1,281,167 + 50,000 photographs in 1,000 classes, as JPEG files in train/CLASS/ and val/CLASS/.
    /// To look at, the shorter side is scaled to 256 and the middle 224x224 cut out.
    /// </summary>
    /// <param name="root">Holds train/ and val/.</param>
    /// <exception cref="UserException">A folder is missing or holds no images, or there are not 1,000 classes.</exception>
    public static Dataset ImageNet(string root) => new ImageNetSet().Load(root);

    internal static Registry<DatasetDescription> All()
    {
        var datasets = new Registry<DatasetDescription>("data set");
        DatasetDescription[] descriptions =
        [
            new Cifar100Set(), new Cifar100Set(coarse: true), new Cifar10Set(), new FashionMnistSet(), new MnistSet(), new SvhnSet(),
            new Stl10Set(), new TinyImageNetSet(), new ImageNetSet(), new ImageFolderSet(), new WebDatasetSet(),
        ];
        foreach (var description in descriptions) datasets.Add(description);
        return datasets;
    }
}
