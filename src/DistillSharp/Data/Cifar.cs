namespace DistillSharp.Data;

/// <summary>
/// CIFAR-10 and CIFAR-100 (Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009), from the official
/// archives or folders, in the python or the binary version.
/// </summary>
static class Cifar
{
    const string Source = "https://www.cs.toronto.edu/~kriz/cifar.html";

    static readonly FileLayout Python100 = new("cifar-100-python", "cifar-100-python", ["train", "test", "meta"]);
    static readonly FileLayout Binary100 =
        new("cifar-100-binary", "cifar-100-binary", ["train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt"]);
    static readonly FileLayout Python10 = new("cifar-10-batches-py", "cifar-10-python", [.. Batches(""), "test_batch", "batches.meta"]);
    static readonly FileLayout Binary10 = new("cifar-10-batches-bin", "cifar-10-binary",
        [.. Batches(".bin"), "test_batch.bin", "batches.meta.txt"]);

    /// <summary>CIFAR-100's two parts, labeled with the 100 fine or the 20 coarse classes.</summary>
    public static (ImageSet Train, ImageSet Test) Read100(string root, bool coarse)
    {
        var files = DataFiles.Find("CIFAR-100", root, Source, Python100, Binary100);
        if (files.Layout == Python100)
        {
            var names = CifarPython.Names(files, "meta", coarse ? "coarse_label_names" : "fine_label_names");
            ImageSet Part(string file) => CifarPython.Read(files, [file], coarse ? "coarse_labels" : "fine_labels", names);
            return (Part("train"), Part("test"));
        }
        else
        {
            var names = CifarBinary.Names(files, coarse ? "coarse_label_names.txt" : "fine_label_names.txt");
            ImageSet Part(string file) => CifarBinary.Read(files, [file], labelBytes: 2, label: coarse ? 0 : 1, names);
            return (Part("train.bin"), Part("test.bin"));
        }
    }

    /// <summary>CIFAR-10's two parts.</summary>
    public static (ImageSet Train, ImageSet Test) Read10(string root)
    {
        var files = DataFiles.Find("CIFAR-10", root, Source, Python10, Binary10);
        if (files.Layout == Python10)
        {
            var names = CifarPython.Names(files, "batches.meta", "label_names");
            return (CifarPython.Read(files, Batches(""), "labels", names), CifarPython.Read(files, ["test_batch"], "labels", names));
        }
        else
        {
            var names = CifarBinary.Names(files, "batches.meta.txt");
            return (CifarBinary.Read(files, Batches(".bin"), 1, 0, names), CifarBinary.Read(files, ["test_batch.bin"], 1, 0, names));
        }
    }

    static string[] Batches(string ending) => [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}{ending}")];
}
