using System.Formats.Tar;
using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

public class DataFilesTests : IDisposable
{
    readonly TemporaryFolder root = new();

    public void Dispose() => root.Dispose();

    string Refusal(string? at = null) => Assert.Throws<UserException>(() => Datasets.Cifar100(at ?? root.Path)).Message;

    [Fact]
    public void NothingThere_SaysWhatTheFolderShouldHold()
    {
        Assert.Equal(
            $"CIFAR-100 was not found in '{root.Path}', which should hold cifar-100-python/ with train, test, meta, or "
            + "cifar-100-python.tar.gz, " +
            "or cifar-100-binary/ with train.bin, test.bin, fine_label_names.txt, coarse_label_names.txt, or cifar-100-binary.tar.gz " +
            "(https://www.cs.toronto.edu/~kriz/cifar.html)", Refusal());
        Assert.StartsWith($"the folder '{root["no"]}', which should hold CIFAR-100, does not exist", Refusal(root["no"]));
    }

    [Fact]
    public void AnIncompleteFolder_NamesWhatIsMissing()
    {
        SmallFiles.Write(root["cifar-100-python"], SmallFiles.Cifar100Python()[..1]);
        Assert.Equal(
            $"CIFAR-100 in '{root["cifar-100-python"]}' is incomplete: test, meta missing; the folder should hold train, test, meta",
            Refusal());
    }

    [Fact]
    public void AWholeArchiveBesideAnIncompleteFolder_IsTaken()
    {
        SmallFiles.Write(root["cifar-100-python"], SmallFiles.Cifar100Python()[..1]);
        SmallFiles.Write(
            root.Path,
            [("cifar-100-python.tgz",
                SmallFiles.Gzip(SmallFiles.Tar(TarEntryFormat.Gnu, SmallFiles.In("cifar-100-python", SmallFiles.Cifar100Python()))))]);
        Assert.Equal(6, Datasets.Cifar100(root.Path).Train.Count);
    }

    [Fact]
    public void AnArchiveOfSomethingElse_NamesWhatItLacks()
    {
        SmallFiles.Write(
            root.Path,
            [("cifar-100-python.tar.gz",
                SmallFiles.Gzip(SmallFiles.Tar(TarEntryFormat.Gnu, SmallFiles.In("cifar-100-python", SmallFiles.Cifar100Python()[..2]))))]);
        Assert.Equal(
            $"the archive '{root["cifar-100-python.tar.gz"]}' lacks cifar-100-python/meta: it is cut short or another archive", Refusal());
    }

    [Fact]
    public void ATruncatedArchive_IsRefused()
    {
        var archive = SmallFiles.Gzip(SmallFiles.Tar(TarEntryFormat.Gnu, SmallFiles.In("cifar-100-python", SmallFiles.Cifar100Python())));
        SmallFiles.Write(root.Path, [("cifar-100-python.tar.gz", archive[..(archive.Length / 2)])]);
        Assert.Contains($"'{root["cifar-100-python.tar.gz"]}' is cut short", Refusal());
    }

    [Fact]
    public void AnArchiveThatCannotBeRead_SaysHowToUnpackIt()
    {
        SmallFiles.Write(root.Path, [("cifar-100-python.tar.xz", [1])]);
        Assert.Equal($"'{root["cifar-100-python.tar.xz"]}' is packed in a way that cannot be read here; unpack it into '{root.Path}' " +
            $"(tar -xf {root["cifar-100-python.tar.xz"]} -C {root.Path})", Refusal());
    }

    [Fact]
    public void ErrorsWithinAnArchive_NameTheEntry()
    {
        var files = SmallFiles.Cifar100Binary();
        files[1].Content = files[1].Content[..^5];
        SmallFiles.Write(
            root.Path, [("cifar-100-binary.tar", SmallFiles.Tar(TarEntryFormat.Ustar, SmallFiles.In("cifar-100-binary", files)))]);
        Assert.StartsWith($"'{root["cifar-100-binary.tar"]}: cifar-100-binary/test.bin' is cut short or damaged: 9217 bytes", Refusal());
    }

    [Fact]
    public void AFileThatCannotBeRead_SaysSo()
    {
        SmallFiles.Write(root["cifar-100-python"], SmallFiles.Cifar100Python());
        File.Delete(root["cifar-100-python/train"]);
        // Reading there fails for root too, whom permissions do not stop.
        File.CreateSymbolicLink(root["cifar-100-python/train"], "/proc/self/mem");
        Assert.StartsWith($"cannot read '{root["cifar-100-python/train"]}': ", Refusal());
    }

    [Fact]
    public void UnknownNames_AreRefusedWithTheKnownOnes()
    {
        Assert.Equal(
            "there is no data set 'cifar-100'; the data sets are cifar10, cifar100, cifar100-coarse, fashion-mnist, image-folder, "
            + "imagenet, mnist, stl10, svhn, tiny-imagenet, webdataset; did you mean 'cifar100'?",
            Assert.Throws<UsageException>(() => Datasets.Load("cifar-100", root.Path)).Message);
    }

    [Fact]
    public void Normalization_CanBeReplacedAndIsChecked()
    {
        SmallFiles.Write(root.Path, SmallFiles.Cifar100Binary());
        var data = Datasets.Load("cifar100", root.Path);
        Assert.Equal([.5071f, .4867f, .4408f], data.Normalization.Mean.ToArray());
        Assert.Equal([.2675f, .2565f, .2761f], data.Normalization.Std.ToArray());
        Assert.Equal([.5f, .5f, .5f], (data with { Mean = [.5f, .5f, .5f] }).Normalization.Mean.ToArray());
        Assert.Contains(
            "1 channels, but the images of cifar100 have 3",
            Assert.Throws<UsageException>(() => (data with { Mean = [0], Std = [1] }).Normalization).Message);
        Assert.Equal((4, 2), (data.Limit(train: 4, test: 2).Train.Count, data.Limit(train: 4, test: 2).Test.Count));
        Assert.Same(data.Test, data.Limit(train: 4).Test);
    }
}
