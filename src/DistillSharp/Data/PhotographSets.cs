namespace DistillSharp.Data;

/// <summary>Photographs as image files, a folder for each class. They are normalized by ImageNet's values.</summary>
class ImageFolderSet(string name = "image-folder") : PublishedSet(name, [.485f, .456f, .406f], [.229f, .224f, .225f], size: 224)
{
    public override bool HasSizes => true;

    public override Protocol Protocol => Protocol.ImageNet;

    public override int? ClassesIn(string root) =>
        PackHeader.IsIn(root) ? PhotographPack.Open(root).Classes.Count
        : Path.Combine(root, "train") is var train && Directory.Exists(train) ? FolderListing.Classes(train).Length : null;

    protected sealed override (ImageSet Train, ImageSet Test) Read(string root, ReadOptions options) =>
        Checked(root, PackHeader.IsIn(root) ? PhotographPack.Open(root).Read(options) : ReadFiles(root, options));

    protected virtual (ImageSet Train, ImageSet Test) ReadFiles(string root, ReadOptions options) => ImageFolder.Read(root, options);

    protected virtual (ImageSet Train, ImageSet Test) Checked(string root, (ImageSet Train, ImageSet Test) read) => read;

    /// <summary>256/224 of the network's size.</summary>
    public override int ShorterSide(int height, int width) => Math.Max(height, width) * 256 / 224;
}

/// <summary>ImageNet (ILSVRC 2012): 1,281,167 + 50,000 photographs in 1,000 classes.</summary>
sealed class ImageNetSet() : ImageFolderSet("imagenet")
{
    const int Classes = 1000;

    protected override (ImageSet Train, ImageSet Test) Checked(string root, (ImageSet Train, ImageSet Test) read) =>
        read.Train.ClassNames.Count == Classes ? read
            : throw new UserException($"'{(Directory.Exists(root) ? Path.Combine(root, "train") : root)}' holds "
                + $"{read.Train.ClassNames.Count} {(Directory.Exists(root) ? "folders" : "classes")}, but ImageNet has {Classes} classes; "
                + "a part of it, or other photographs, are the data set image-folder");
}

/// <summary>Photographs in WebDataset's shards.</summary>
sealed class WebDatasetSet() : ImageFolderSet("webdataset")
{
    public override bool Exists(string root) => Shards.Exist(root);

    protected override (ImageSet Train, ImageSet Test) ReadFiles(string root, ReadOptions options) => Shards.Read(root, options);
}
