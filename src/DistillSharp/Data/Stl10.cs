namespace DistillSharp.Data;

/// <summary>
/// STL-10 (Coates, Lee, Ng: An Analysis of Single-Layer Networks in Unsupervised Feature Learning, AISTATS 2011): 5,000 + 8,000 color
/// images of 96x96 in 10 classes, in the binary version: images as [3, columns, rows], labels from 1.
/// </summary>
sealed class Stl10Set() : PublishedSet("stl10", [.4467f, .4398f, .4066f], [.2603f, .2566f, .2713f], Side)
{
    const int Side = 96, ImageBytes = 3 * Side * Side;

    static readonly FileLayout layout = new("stl10_binary", "stl10_binary", ["train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"]);

    public override IReadOnlyList<string> ClassNames { get; } =
        ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"];

    // The crop of 32x32 images, three times as large.
    public override Protocol Protocol { get; } = Protocol.Cifar with { Augment = [new PadAndCrop { Padding = 12 }, new Flip()] };

    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options)
    {
        var files = DataFiles.Find("STL-10", root, "https://cs.stanford.edu/~acoates/stl10", layout);
        return (Part(files, "train_X.bin", "train_y.bin"), Part(files, "test_X.bin", "test_y.bin"));
    }

    ImageSet Part(DataFiles files, string imageFile, string labelFile)
    {
        var (stored, labels) = (files.Take(imageFile), files.Take(labelFile));
        if (labels.Length == 0 || stored.LongLength != (long)labels.Length * ImageBytes)
            throw new UserException($"'{files.Where(imageFile)}' is cut short or damaged: {stored.Length} bytes "
                + $"are not the images of {labels.Length} labels");
        if (Array.FindIndex(labels, label => label < 1 || label > ClassNames.Count) is >= 0 and var wrong)
            throw new UserException($"'{files.Where(labelFile)}': image {wrong} has label {labels[wrong]}; "
                + $"they are 1 to {ClassNames.Count}");
        return new(RowsFirst(stored, Side), Side, Side, 3, Array.ConvertAll(labels, label => label - 1), ClassNames);
    }
}
