namespace DistillSharp.Data;

/// <summary>
/// Street View House Numbers (Netzer, Wang, Coates, Bissacco, Wu, Ng: Reading Digits in Natural Images with Unsupervised Feature Learning,
/// 2011), the cropped digits: 73,257 + 26,032 color images of 32x32 in 10 classes, as MATLAB files with images X, [32, 32, 3, N], and
/// labels y, [N, 1], in which 10 stands for the digit 0.
/// </summary>
sealed class SvhnSet() : PublishedSet("svhn", [.4377f, .4438f, .4728f], [.1980f, .2010f, .1970f])
{
    const int Side = 32;

    static readonly FileLayout layout = new("svhn", "svhn", ["train_32x32.mat", "test_32x32.mat"]);

    public override IReadOnlyList<string> ClassNames { get; } = [.. Enumerable.Range(0, 10).Select(digit => digit.ToString())];

    // Digits are not mirrored.
    public override Protocol Protocol { get; } = Protocol.Cifar with { Augment = [new PadAndCrop()] };

    protected override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options)
    {
        var files = DataFiles.Find("SVHN", root, "http://ufldl.stanford.edu/housenumbers", layout);
        return (Part(files, "train_32x32.mat"), Part(files, "test_32x32.mat"));
    }

    ImageSet Part(DataFiles files, string file)
    {
        var arrays = MatlabFile.Read(files.Take(file), files.Where(file));
        if (!arrays.TryGetValue("X", out var images) || !arrays.TryGetValue("y", out var labels))
            throw new UserException($"'{files.Where(file)}' does not hold the "
                + $"arrays X and y; it holds {(arrays.Count == 0 ? "none" : string.Join(", ", arrays.Keys))}");
        if (images.Sizes is not [Side, Side, 3, > 0 and var count] || labels.Values.Length != count)
            throw new UserException($"'{files.Where(file)}': X is {string.Join("x", images.Sizes)} and y {string.Join("x", labels.Sizes)}; "
                + "they should be 32x32x3xN and Nx1");
        if (Array.FindIndex(labels.Values, label => label is < 1 or > 10) is >= 0 and var wrong)
            throw new UserException($"'{files.Where(file)}': image {wrong} has label {labels.Values[wrong]}; they are 1 to 10");
        // MATLAB counts rows first.
        return new(RowsFirst(images.Values, Side), Side, Side, 3, Array.ConvertAll(labels.Values, label => label % 10), ClassNames);
    }
}
