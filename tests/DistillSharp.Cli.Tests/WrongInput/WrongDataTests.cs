using System.Formats.Tar;
using DistillSharp.Tests.Data;

namespace DistillSharp.Cli.Tests.WrongInput;

public class WrongDataTests : WrongInputTests
{
    static byte[] Cifar(params (string Name, byte[] Content)[] files) => SmallFiles.Gzip(SmallFiles.Tar(TarEntryFormat.Gnu, files));

    void Archive(byte[] content)
    {
        SmallFiles.Write(Folder["cifar"], [("cifar-100-python.tar.gz", content)]);
        Write(data: $"set: cifar100, root: '{Folder["cifar"]}', batch: 2");
    }

    [Fact]
    public void A_truncated_archive()
    {
        var whole = Cifar(SmallFiles.In("cifar-100-python", SmallFiles.Cifar100Python()));
        Archive(whole[..(whole.Length / 2)]);
        TrainRefused(1, $"'{Folder["cifar/cifar-100-python.tar.gz"]}' is cut short");
    }

    [Theory]
    [InlineData("../cifar-100-python/")]
    [InlineData("cifar-100-python/../../cifar-100-python/")]
    [InlineData("/tmp/cifar-100-python/")]
    public void Paths_in_an_archive_that_lead_elsewhere(string folder)
    {
        Archive(Cifar([.. SmallFiles.Cifar100Python().Select(file => (folder + file.Name, file.Content))]));
        // Nothing is ever unpacked to the disk; and such a file stands for none that is looked for.
        TrainRefused(1, "lacks cifar-100-python/train, cifar-100-python/test, cifar-100-python/meta");
    }

    [Fact]
    public void Wrong_sizes()
    {
        SmallFiles.Write(Folder["data"], [("train-images-idx3-ubyte", SmallFiles.Idx(new byte[16 * 28 * 27], 16, 28, 27))]);
        TrainRefused(1, $"'{Folder["data/train-images-idx3-ubyte"]}' holds images of 28x27; they should be 28x28");
        SmallFiles.Write(Folder["data"], [("train-images-idx3-ubyte", SmallFiles.Idx(new byte[15 * 784], 15, 28, 28))]);
        TrainRefused(1, "holds 15 images, but", "16 labels");
    }

    [Fact]
    public void Labels_out_of_range()
    {
        SmallFiles.Write(Folder["data"], [("t10k-labels-idx1-ubyte", SmallFiles.Idx([0, 1, 2, 3, 4, 10, 6, 7, 8, 9], 10))]);
        TrainRefused(1, $"'{Folder["data/t10k-labels-idx1-ubyte"]}': image 5 has label 10, but there are only 10 classes (0..9)");
    }

    [Fact]
    public void Zero_images()
    {
        SmallFiles.Write(
            Folder["data"],
            [("train-images-idx3-ubyte", SmallFiles.Idx([], 0, 28, 28)), ("train-labels-idx1-ubyte", SmallFiles.Idx([], 0))]);
        TrainRefused(1, "is empty or damaged: dimension 0 has size 0");
        Directory.CreateDirectory(Folder["photos/train/a"]);
        Directory.CreateDirectory(Folder["photos/val/a"]);
        Write(data: $"set: image-folder, root: '{Folder["photos"]}', batch: 1");
        TrainRefused(1, "holds no images");
    }

    [Fact]
    public void Files_that_are_no_images()
    {
        SmallFiles.Write(Folder["data"], [("train-images-idx3-ubyte", "no image"u8.ToArray())]);
        TrainRefused(1, $"'{Folder["data/train-images-idx3-ubyte"]}' is not an IDX file");

        foreach (var part in new[] { "train", "val" })
            foreach (var label in new[] { "a", "b" })
                SmallFiles.Write(Folder[$"photos/{part}/{label}"], [("x.png", "no image"u8.ToArray())]);
        Write(data: $"set: image-folder, root: '{Folder["photos"]}', batch: 2", train: "epochs: 1, precision: fp32");
        TrainRefused(1, "4 files cannot be read as images: ", "x.png' is no image", "data.damaged: skip");
    }
}
