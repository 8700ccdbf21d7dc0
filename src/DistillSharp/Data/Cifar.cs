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
        var kind = coarse ? "coarse" : "fine";
        return files.Layout == Python100
            ? Python(files, ["train"], "test", "meta", $"{kind}_label_names", $"{kind}_labels")
            : Binary(files, ["train.bin"], "test.bin", $"{kind}_label_names.txt", labelBytes: 2, label: coarse ? 0 : 1);
    }

    /// <summary>CIFAR-10's two parts.</summary>
    public static (ImageSet Train, ImageSet Test) Read10(string root)
    {
        var files = DataFiles.Find("CIFAR-10", root, Source, Python10, Binary10);
        return files.Layout == Python10
            ? Python(files, Batches(""), "test_batch", "batches.meta", "label_names", "labels")
            : Binary(files, Batches(".bin"), "test_batch.bin", "batches.meta.txt", labelBytes: 1, label: 0);
    }

    static (ImageSet, ImageSet) Python(DataFiles files, string[] train, string test, string meta, string namesKey, string labelKey)
    {
        var names = CifarPython.Names(files, meta, namesKey);
        return (CifarPython.Read(Parts(files, train), labelKey, names), CifarPython.Read(Parts(files, test), labelKey, names));
    }

    static (ImageSet, ImageSet) Binary(DataFiles files, string[] train, string test, string list, int labelBytes, int label)
    {
        var names = CifarBinary.Names(files, list);
        ImageSet Part(params string[] parts) => CifarBinary.Read(Parts(files, parts), labelBytes, label, names);
        return (Part(train), Part(test));
    }

    static (byte[] Content, string Where)[] Parts(DataFiles files, params string[] parts) =>
        Array.ConvertAll(parts, part => (files.Take(part), files.Where(part)));

    static string[] Batches(string ending) => [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}{ending}")];
}
