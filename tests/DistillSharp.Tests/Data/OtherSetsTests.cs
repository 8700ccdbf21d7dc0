using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using DistillSharp.Data;

namespace DistillSharp.Tests.Data;

/// <summary>Tiny-ImageNet, STL-10, SVHN and CIFAR-100's coarse classes: small files of the published forms, and damaged ones.</summary>
public sealed class OtherSetsTests : IDisposable
{
    // 64x64, (200, 30, 39) and gray 90.
    static readonly byte[] red = Convert.FromBase64String(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/"
        + "2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCABAAEADASIAAhEBAxEB/8QA"
        + "FQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAcI/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwD"
        + "AQACEQMRAD8AggCftwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP//Z");

    static readonly byte[] gray = Convert.FromBase64String(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/"
        + "wAALCABAAEABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AI0AAAAAAAAAAAAAAAAAAAAA/9k=");

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Tiny_ImageNet_is_read_as_published()
    {
        WriteTinyImageNet();
        var data = Datasets.Load("tiny-imagenet", folder.Path);
        Assert.Equal(["crane, machine (n01)", "goldfish", "crane, wading bird (n03)"], data.ClassNames);
        Assert.Equal([0, 0, 1, 2], data.Train.Labels.ToArray());
        Assert.Equal([2, 0], data.Test.Labels.ToArray());
        Assert.Equal((64, 64, 3), (data.Train.Height, data.Train.Width, data.Train.Channels));
        Assert.Equal([200, 30, 39], data.Train.Image(0).Pixels[^3..].ToArray());
        Assert.Equal([90, 90, 90], data.Test.Image(1).Pixels[..3].ToArray());
        Assert.Equal([1], data.Train.Subset(3).Labels.ToArray().Skip(1).Take(1));
        Assert.Equal(3, Datasets.Load("tiny-imagenet", folder["tiny-imagenet-200"]).Classes);
    }

    [Fact]
    public void What_Tiny_ImageNet_lacks_is_named()
    {
        Assert.Contains("Tiny-ImageNet was not found in", Refusal("tiny-imagenet"));
        WriteTinyImageNet();
        var root = folder["tiny-imagenet-200"];
        var annotations = Path.Combine(root, "val/val_annotations.txt");
        var whole = File.ReadAllText(annotations);
        File.WriteAllText(annotations, whole.Split('\n')[0] + "\n");
        Assert.Equal($"'{annotations}' does not say the class of val_1.JPEG", Refusal("tiny-imagenet"));
        File.WriteAllText(annotations, whole + "val_2.JPEG\tn01\t0\t0\t1\t1\n");
        Assert.Equal($"'{Path.Combine(root, "val/images")}' lacks val_2.JPEG of val_annotations.txt", Refusal("tiny-imagenet"));
        File.WriteAllText(annotations, "val_0.JPEG\tn99\t0\t0\t1\t1\n");
        Assert.Contains("'val_0.JPEG\tn99\t0\t0\t1\t1' does not say an image and its class", Refusal("tiny-imagenet"));
        File.WriteAllText(annotations, whole);
        File.WriteAllBytes(Path.Combine(root, "train/n02/images/n02_0.JPEG"), red[..^9]);
        Assert.Contains("n02_0.JPEG' is a damaged JPEG image", Refusal("tiny-imagenet"));
        Directory.Delete(Path.Combine(root, "val"), recursive: true);
        Assert.Equal($"Tiny-ImageNet in '{root}' is incomplete: val/images, val/val_annotations.txt missing", Refusal("tiny-imagenet"));
    }

    [Fact]
    public void STL_10_is_read_as_published()
    {
        // [image, channel, column, row], as stored.
        var (train, test) = (SmallFiles.Bytes(2 * 27648, 1), SmallFiles.Bytes(27648, 2));
        (string, byte[])[] files = [("train_X.bin", train), ("train_y.bin", [10, 1]), ("test_X.bin", test), ("test_y.bin", [3])];
        SmallFiles.Write(folder["stl10_binary"], files);
        File.WriteAllBytes(folder["stl10_binary.tar.gz"],
            SmallFiles.Gzip(SmallFiles.Tar(System.Formats.Tar.TarEntryFormat.Gnu, SmallFiles.In("stl10_binary", files))));
        foreach (var root in new[] { folder.Path, folder["stl10_binary"], folder["stl10_binary.tar.gz"] })
        {
            var data = Datasets.Load("stl10", root);
            Assert.Equal([9, 0, 2], [.. data.Train.Labels, .. data.Test.Labels]);
            Assert.Equal((96, 96, "airplane", "truck"), (data.Train.Height, data.Train.Width, data.ClassNames[0], data.ClassNames[9]));
            var shown = data.Train.Image(1).Pixels;
            foreach (var (channel, x, y) in new[] { (0, 0, 0), (2, 5, 7), (1, 95, 0), (0, 3, 95), (2, 95, 95) })
                Assert.Equal(train[27648 + channel * 9216 + x * 96 + y], shown[(y * 96 + x) * 3 + channel]);
        }
        File.Delete(folder["stl10_binary.tar.gz"]);
        File.WriteAllBytes(folder["stl10_binary/train_y.bin"], [11, 1]);
        Assert.Contains("train_y.bin': image 0 has label 11; they are 1 to 10", Refusal("stl10"));
        File.WriteAllBytes(folder["stl10_binary/train_y.bin"], [1]);
        Assert.Contains("55296 bytes are not the images of 1 labels", Refusal("stl10"));
        File.Delete(folder["stl10_binary/train_y.bin"]);
        Assert.Contains("train_y.bin missing", Refusal("stl10"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SVHN_is_read_as_published(bool packed)
    {
        // [row, column, channel, image], the first counting fastest.
        var (train, test) = (SmallFiles.Bytes(3 * 3072, 3), SmallFiles.Bytes(3072, 4));
        File.WriteAllBytes(folder["train_32x32.mat"], Matlab(packed, ("X", [32, 32, 3, 3], train), ("y", [3, 1], [10, 1, 9])));
        File.WriteAllBytes(folder["test_32x32.mat"], Matlab(packed, ("X", [32, 32, 3, 1], test), ("y", [1, 1], [4])));
        var data = Datasets.Load("svhn", folder.Path);
        Assert.Equal([0, 1, 9, 4], [.. data.Train.Labels, .. data.Test.Labels]);
        var shown = data.Train.Image(2).Pixels;
        foreach (var (channel, x, y) in new[] { (0, 0, 0), (2, 5, 7), (1, 31, 0), (0, 3, 31), (2, 31, 31) })
            Assert.Equal(train[2 * 3072 + channel * 1024 + x * 32 + y], shown[(y * 32 + x) * 3 + channel]);
    }

    [Fact]
    public void What_is_wrong_with_a_MATLAB_file_is_said()
    {
        var whole = Matlab(packed: true, ("X", [32, 32, 3, 1], SmallFiles.Bytes(3072, 3)), ("y", [1, 1], [3]));
        File.WriteAllBytes(folder["test_32x32.mat"], whole);
        Refused("is no MATLAB file of version 5", "MATLAB 7.3, HDF5"u8.ToArray());
        Refused("is damaged: an element would take", whole[..200]);
        Refused("does not hold the arrays X and y; it holds X", Matlab(true, ("X", [32, 32, 3, 1], new byte[3072])));
        Refused("X is 32x32x3x1 and y 2x1; they should be 32x32x3xN and Nx1",
            Matlab(true, ("X", [32, 32, 3, 1], new byte[3072]), ("y", [2, 1], [1, 1])));
        Refused("image 0 has label 0; they are 1 to 10", Matlab(true, ("X", [32, 32, 3, 1], new byte[3072]), ("y", [1, 1], [0])));
        Refused("its array 'X' of 32x32x3x2 has 3072 values", Matlab(false, ("X", [32, 32, 3, 2], new byte[3072])));
        var wrong = whole.ToArray();
        wrong.AsSpan(140, 20).Fill(0xee);
        Refused("is damaged: an element cannot be unpacked", wrong);

        void Refused(string expected, byte[] content)
        {
            File.WriteAllBytes(folder["train_32x32.mat"], content);
            Assert.Contains(expected, Refusal("svhn"));
        }
    }

    [Fact]
    public void A_MATLAB_file_of_any_bytes_is_read_or_refused()
    {
        var whole = Matlab(packed: false, ("X", [2, 2], [1, 2, 3, 4]), ("y", [3, 1], [1, 2, 3]));
        Assert.Equal([1, 2, 3], MatlabFile.Read(whole, "it")["y"].Values);
        var random = new Random(5);
        for (var i = 0; i < 3000; i++)
        {
            var changed = whole[..random.Next(whole.Length + 1)];
            for (var k = random.Next(4); k > 0 && changed.Length > 128; k--)
                changed[random.Next(128, changed.Length)] = (byte)random.Next(256);
            try { MatlabFile.Read(changed, "it"); }
            catch (UserException) { }
        }
    }

    [Fact]
    public void The_coarse_classes_of_CIFAR_100_are_a_set_of_their_own()
    {
        SmallFiles.Write(folder["cifar-100-python"], SmallFiles.Cifar100Python());
        var data = Datasets.Load("cifar100-coarse", folder.Path);
        Assert.Equal(("cifar100-coarse", 20), (data.Name, data.Classes));
        Assert.Equal(SmallFiles.TwentyNames, data.ClassNames);
        Assert.Equal([19, 18, 17], data.Test.Labels.ToArray());
        Assert.Equal(100, Datasets.Load("cifar100", folder.Path).Classes);
    }

    void WriteTinyImageNet()
    {
        var root = folder["tiny-imagenet-200"];
        foreach (var (path, content) in new[] { ("n01_0", red), ("n01_1", gray), ("n02_0", red), ("n03_0", red) })
        {
            var images = Path.Combine(root, "train", path[..3], "images");
            Directory.CreateDirectory(images);
            File.WriteAllBytes(Path.Combine(images, path + ".JPEG"), content);
            File.WriteAllText(Path.Combine(root, "train", path[..3], path[..3] + "_boxes.txt"), "n01_0.JPEG\t0\t0\t63\t63\n");
        }
        Directory.CreateDirectory(Path.Combine(root, "val/images"));
        File.WriteAllBytes(Path.Combine(root, "val/images/val_0.JPEG"), red);
        File.WriteAllBytes(Path.Combine(root, "val/images/val_1.JPEG"), gray);
        File.WriteAllText(
            Path.Combine(root, "val/val_annotations.txt"), "val_0.JPEG\tn03\t0\t32\t44\t62\nval_1.JPEG\tn01\t52\t55\t57\t59\n");
        File.WriteAllText(Path.Combine(root, "wnids.txt"), "n03\nn01\nn02\n");
        File.WriteAllText(
            Path.Combine(root, "words.txt"),
                "n00\tentity\nn01\tcrane, machine\nn02\tgoldfish, Carassius auratus\nn03\tcrane, wading bird\n");
    }

    string Refusal(string set) => Assert.Throws<UserException>(() => Datasets.Load(set, folder.Path)).Message;

    // As MATLAB and scipy write them: flags, dimensions, name and values, each filled up to 8 bytes; names of up to 4 bytes stand
    // in the tag.
    static byte[] Matlab(bool packed, params (string Name, int[] Sizes, byte[] Values)[] arrays)
    {
        var file = new MemoryStream();
        file.Write(Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file, Platform: GLNXA64".PadRight(124)));
        file.Write([0, 1, (byte)'I', (byte)'M']);
        foreach (var (name, sizes, values) in arrays)
        {
            const byte uint8Class = 9;
            var dimensions = new byte[4 * sizes.Length];
            for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(dimensions.AsSpan(4 * i), sizes[i]);
            var matrix = Element(14,
                [.. Element(6, [uint8Class, 0, 0, 0, 0, 0, 0, 0]), .. Element(5, dimensions), .. Small(1, Encoding.ASCII.GetBytes(name)),
                .. values.Length <= 4 ? Small(2, values) : Element(2, values)]);
            if (!packed) file.Write(matrix);
            else
            {
                var shrunk = new MemoryStream();
                using (var zlib = new ZLibStream(shrunk, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(matrix);
                file.Write([.. Tag(15, (uint)shrunk.Length), .. shrunk.ToArray()]);
            }
        }
        return file.ToArray();

        static byte[] Element(uint type, byte[] data) => [.. Tag(type, (uint)data.Length), .. data, .. new byte[(8 - data.Length % 8) % 8]];

        static byte[] Small(uint type, byte[] data) =>
            [.. Tag(type | (uint)data.Length << 16, 0)[..4], .. data, .. new byte[4 - data.Length]];

        static byte[] Tag(uint type, uint length)
        {
            var tag = new byte[8];
            BinaryPrimitives.WriteUInt32LittleEndian(tag, type);
            BinaryPrimitives.WriteUInt32LittleEndian(tag.AsSpan(4), length);
            return tag;
        }
    }
}
