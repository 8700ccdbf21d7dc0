using System.Formats.Tar;
using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

public class CifarTests
{
    static void AssertSample(Dataset data)
    {
        Assert.Equal((6, 3, 100, "cifar100"), (data.Train.Count, data.Test.Count, data.Classes, data.Name));
        Assert.Equal([0, 1, 2, 3, 4, 5], data.Train.Labels.ToArray());
        Assert.Equal([99, 98, 97], data.Test.Labels.ToArray());
        Assert.Equal(SmallFiles.HundredNames, data.ClassNames);
        for (var i = 0; i < 6; i++) Assert.Equal(SmallFiles.Interleaved(SmallFiles.Planes(1, i)), data.Train.Image(i).Pixels);
        for (var i = 0; i < 3; i++) Assert.Equal(SmallFiles.Interleaved(SmallFiles.Planes(2, i)), data.Test.Image(i).Pixels);
    }

    [Fact]
    public void Cifar100_IsFoundInEveryForm()
    {
        var python = SmallFiles.Cifar100Python();
        var binary = SmallFiles.Cifar100Binary();
        using var root = new TemporaryFolder();
        foreach (var (name, files) in new[] { ("cifar-100-python", python), ("cifar-100-binary", binary) })
        {
            SmallFiles.Write(root[$"folder-{name}/{name}"], files);
            SmallFiles.Write(root[$"itself-{name}"], files);
            var tar = SmallFiles.Tar(TarEntryFormat.Ustar, SmallFiles.In(name, files));
            SmallFiles.Write(root[$"tar-{name}"], [(name + ".tar", tar)]);
            SmallFiles.Write(root[$"gz-{name}"], [(name + ".tar.gz", SmallFiles.Gzip(tar))]);
            foreach (var form in new[] { "folder", "itself", "tar", "gz" }) AssertSample(Datasets.Cifar100(root[$"{form}-{name}"]));
            AssertSample(Datasets.Cifar100(root[$"gz-{name}/{name}.tar.gz"]));

            var coarse = Datasets.Cifar100(root[$"gz-{name}"], coarse: true);
            Assert.Equal(SmallFiles.TwentyNames, coarse.ClassNames);
            Assert.Equal([19, 18, 17], coarse.Test.Labels.ToArray());
        }
    }

    [Fact]
    public void Cifar10_JoinsItsFiveBatches()
    {
        static int Label(int batch, int i) => (batch + i) % 10;
        using var root = new TemporaryFolder();
        SmallFiles.Write(root["py/cifar-10-batches-py"],
        [
            .. Enumerable.Range(1, 5).Select(b => ($"data_batch_{b}", SmallFiles.CifarPython(2, b, ("labels", i => Label(b, i))))),
            ("test_batch", SmallFiles.CifarPython(2, 6, ("labels", i => Label(6, i)))),
            ("batches.meta", SmallFiles.Pickle(("label_names", SmallFiles.Texts(SmallFiles.TenNames)))),
        ]);
        SmallFiles.Write(root["bin/cifar-10-batches-bin"],
        [
            .. Enumerable.Range(1, 5).Select(b => ($"data_batch_{b}.bin", SmallFiles.CifarBinary(2, b, i => (byte)Label(b, i)))),
            ("test_batch.bin", SmallFiles.CifarBinary(2, 6, i => (byte)Label(6, i))),
            ("batches.meta.txt", "class0\nclass1\nclass2\nclass3\nclass4\nclass5\nclass6\nclass7\nclass8\nclass9\n\n"u8.ToArray()),
        ]);
        foreach (var form in new[] { "py", "bin" })
        {
            var data = Datasets.Load("cifar10", root[form]);
            Assert.Equal((10, 2, 10), (data.Train.Count, data.Test.Count, data.Classes));
            Assert.Equal(
                from batch in Enumerable.Range(1, 5) from i in Enumerable.Range(0, 2) select Label(batch, i), data.Train.Labels.ToArray());
            Assert.Equal(SmallFiles.Interleaved(SmallFiles.Planes(4, 1)), data.Train.Image(7).Pixels);
            Assert.Equal(SmallFiles.TenNames, data.ClassNames);
        }
    }

    [Fact]
    public void AColumnMajorArray_GivesTheSameImages()
    {
        var planes = SmallFiles.Bytes(2 * 3072, 3);
        var columns = new byte[planes.Length];
        for (var i = 0; i < 2; i++)
            for (var k = 0; k < 3072; k++) columns[k * 2 + i] = planes[i * 3072 + k];
        var file =
            SmallFiles.Pickle(("data", SmallFiles.Array(columns, 2, 3072, columnMajor: true)), ("labels", SmallFiles.Integers([1, 2])));
        var set = CifarPython.Read([(file, "batch")], "labels", SmallFiles.TenNames);
        Assert.Equal(SmallFiles.Interleaved(planes[3072..]), set.Image(1).Pixels);
    }

    [Fact]
    public void DamagedBinaryFiles_AreRefusedWithTheReason()
    {
        var good = SmallFiles.CifarBinary(2, 1, _ => 3, _ => 42);
        Assert.Equal("'x.bin' is cut short or damaged: 6147 bytes are no whole number of records of 3074 bytes", Refusal(good[..^1]));
        Assert.Contains("0 bytes are no whole number", Refusal([]));
        good[3074 + 1] = 100;
        Assert.Equal("'x.bin': image 1 has label 100, but there are only 100 classes (0..99)", Refusal(good));

        static string Refusal(byte[] file) =>
            Assert.Throws<UserException>(() => CifarBinary.Read([(file, "x.bin")], 2, 1, SmallFiles.HundredNames)).Message;
    }

    [Fact]
    public void DamagedPythonFiles_AreRefusedWithTheReason()
    {
        var pixels = ("data", SmallFiles.Array(new byte[2 * 3072], 2, 3072));
        var labels = ("labels", SmallFiles.Integers([1, 2]));
        Assert.Contains(
            "'x': image 1 has label 10, but there are only 10 classes", Refusal(pixels, ("labels", SmallFiles.Integers([1, 10]))));
        Assert.Contains("image 0 has label -1", Refusal(pixels, ("labels", SmallFiles.Integers([-1, 1]))));
        Assert.Contains("'x' holds 2 images, but 3 labels", Refusal(pixels, ("labels", SmallFiles.Integers([1, 2, 3]))));
        Assert.Contains("'x' has no array 'data': it is no batch of CIFAR (it holds labels)", Refusal(labels));
        Assert.Contains(
            "'x' has no list of integers 'labels' (it holds data, fine_labels)",
            Refusal(pixels, ("fine_labels", SmallFiles.Integers([1, 2]))));
        Assert.Contains("not u1 [2, 100]", Refusal(("data", SmallFiles.Array(new byte[200], 2, 100)), labels));
        Assert.Contains("not u1 [0, 3072]", Refusal(("data", SmallFiles.Array([], 0, 3072)), labels));
        Assert.Contains(
            "holds an int where a dict is needed", Assert.Throws<UserException>(() => Read([0x80, 2, .. "K\u0001."u8])).Message);

        static string Refusal(params (string, Action<Stream>)[] entries) =>
            Assert.Throws<UserException>(() => Read(SmallFiles.Pickle(entries))).Message;

        static ImageSet Read(byte[] file) => CifarPython.Read([(file, "x")], "labels", SmallFiles.TenNames);
    }

    [Fact]
    public void AMaliciousPickle_IsRefusedByTheNameItCalls()
    {
        using var root = new TemporaryFolder();
        var files = SmallFiles.Cifar100Python();
        files[1].Content = [.. "cposix\nsystem\nU\u0004true"u8, 0x85, .. "R."u8];
        SmallFiles.Write(root["cifar-100-python"], files);
        var message = Assert.Throws<UserException>(() => Datasets.Cifar100(root.Path)).Message;
        Assert.Contains("posix.system", message);
        Assert.Contains(root["cifar-100-python/test"], message);
    }

    [Fact]
    public void AMetaFileOfAnotherKind_IsRefused()
    {
        using var root = new TemporaryFolder();
        var files = SmallFiles.Cifar100Python();
        files[2].Content = SmallFiles.Pickle(("fine_label_names", SmallFiles.Integers([1])), ("coarse_label_names", SmallFiles.Texts([])));
        SmallFiles.Write(root.Path, files);
        Assert.Contains(
            "holds an int where a class name is expected", Assert.Throws<UserException>(() => Datasets.Cifar100(root.Path)).Message);
        Assert.Contains(
            "no list 'coarse_label_names'", Assert.Throws<UserException>(() => Datasets.Cifar100(root.Path, coarse: true)).Message);
    }
}
