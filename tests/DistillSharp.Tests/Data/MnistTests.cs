using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

public class MnistTests
{
    static readonly byte[] pixels = SmallFiles.Bytes(3 * 784, 1);
    static readonly byte[] images = SmallFiles.Idx(pixels, 3, 28, 28);
    static readonly byte[] labels = SmallFiles.Idx([7, 0, 9], 3);

    static ImageSet Read(byte[] imageFile, byte[] labelFile) =>
        Mnist.Read(UnpackedFile.Over(imageFile, "images"), UnpackedFile.Over(labelFile, "labels"), SmallFiles.TenNames);

    static string Refusal(byte[] imageFile, byte[] labelFile) => Assert.Throws<UserException>(() => Read(imageFile, labelFile)).Message;

    [Fact]
    public void Read_PadsToThirtyTwoAndMakesThreeEqualChannels()
    {
        foreach (var (imageFile, labelFile) in new[] { (images, labels), (SmallFiles.Gzip(images), SmallFiles.Gzip(labels)) })
        {
            var set = Read(imageFile, labelFile);
            Assert.Equal((3, 32, 32, 3), (set.Count, set.Height, set.Width, set.Channels));
            Assert.Equal([7, 0, 9], set.Labels.ToArray());
            for (var i = 0; i < 3; i++)
                for (var y = 0; y < 32; y++)
                    for (var x = 0; x < 32; x++)
                    {
                        var inside = y is >= 2 and < 30 && x is >= 2 and < 30;
                        var gray = inside ? pixels[(i * 28 + y - 2) * 28 + x - 2] : 0;
                        for (var c = 0; c < 3; c++) Assert.Equal(gray, set.Image(i).Pixels[(y * 32 + x) * 3 + c]);
                    }
        }
    }

    [Fact]
    public void DamagedFiles_AreRefusedWithTheReason()
    {
        Assert.Equal(
            "'labels' is not an IDX file of unsigned bytes (it would begin with 00 00 08)", Refusal(images, [1, 2, 3, 4, 5, 6, 7, 8]));
        Assert.Contains("'labels' is not an IDX file", Refusal(images, []));
        Assert.Contains("'labels' holds an array of 3 dimensions where 1", Refusal(images, images));
        Assert.Contains("'images' is cut short: it ends within its header", Refusal(images[..9], labels));
        Assert.Contains(
            "'images' is cut short or damaged: an array of 3x28x28 would take 2352 bytes, but no more than 2351",
            Refusal(images[..^1], labels));
        Assert.Contains("'images' goes on after its 3x28x28 elements", Refusal([.. images, 1], labels));
        Assert.Contains("'labels' is empty or damaged: dimension 0 has size 0", Refusal(images, SmallFiles.Idx([], 0)));
        Assert.Contains(
            "'images' holds images of 28x27; they should be 28x28", Refusal(SmallFiles.Idx(new byte[3 * 28 * 27], 3, 28, 27), labels));
        Assert.Contains("'images' holds 3 images, but 'labels' 2 labels", Refusal(images, SmallFiles.Idx([0, 0], 2)));
        Assert.Contains(
            "'labels': image 1 has label 10, but there are only 10 classes (0..9)", Refusal(images, SmallFiles.Idx([0, 10, 0], 3)));
        Assert.Contains("cut short", Refusal(SmallFiles.Gzip(images)[..^700], labels));
        Assert.Contains("cut short or damaged", Refusal(SmallFiles.Idx(pixels, int.MaxValue, int.MaxValue, int.MaxValue), labels));
    }

    [Fact]
    public void Folder_MayHoldEitherSpellingGzippedOrNot()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["FashionMNIST/raw"]);
        File.WriteAllBytes(folder["FashionMNIST/raw/train-images.idx3-ubyte"], images);
        File.WriteAllBytes(folder["FashionMNIST/raw/train-labels-idx1-ubyte.gz"], SmallFiles.Gzip(labels));
        File.WriteAllBytes(folder["FashionMNIST/raw/t10k-images-idx3-ubyte.gz"], SmallFiles.Gzip(SmallFiles.Idx(pixels[784..], 2, 28, 28)));
        Assert.Equal($"Fashion-MNIST in '{folder["FashionMNIST/raw"]}' is incomplete: t10k-labels-idx1-ubyte missing (gzipped or not)",
            Assert.Throws<UserException>(() => Datasets.FashionMnist(folder.Path)).Message);
        File.WriteAllBytes(folder["FashionMNIST/raw/t10k-labels.idx1-ubyte.gz"], SmallFiles.Gzip(SmallFiles.Idx([1, 2], 2)));

        var data = Datasets.Load("fashion-mnist", folder.Path);
        Assert.Equal((3, 2, 10, "fashion-mnist"), (data.Train.Count, data.Test.Count, data.Classes, data.Name));
        Assert.Equal("Ankle boot", data.ClassNames[9]);
        Assert.True(data.Train.Image(1).Pixels.SequenceEqual(data.Test.Image(0).Pixels));
        Assert.Equal(3, Datasets.Mnist(folder["FashionMNIST/raw"]).Train.Count);
    }

    [Fact]
    public void MissingFiles_AreNamedWithEveryPlaceThatWasLookedAt()
    {
        using var folder = new TemporaryFolder();
        var message = Assert.Throws<UserException>(() => Datasets.Mnist(folder.Path)).Message;
        Assert.StartsWith(
            $"MNIST was not found in '{folder.Path}', '{folder["mnist"]}', '{folder["MNIST/raw"]}'; one of them should hold "
            + "train-images-idx3-ubyte,", message);
        Assert.Contains("does not exist", Assert.Throws<UserException>(() => Datasets.Mnist(folder["nowhere"])).Message);
    }
}
