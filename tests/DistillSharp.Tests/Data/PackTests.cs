using DistillSharp.Data;
using DistillSharp.Extending;
using DistillSharp.Tests.Formats;
using DistillSharp.Torch;
using Xunit.Abstractions;

namespace DistillSharp.Tests.Data;

public sealed class PackTests(ITestOutputHelper output) : IDisposable
{
    static readonly byte[] red =
        Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHABvqgf5gNwAKAAAAABJRU5ErkJggg==");

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    void Put(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[path])!);
        File.WriteAllBytes(folder[path], content);
    }

    Dataset Set(int size = 32) => Toolkit.BuiltIn.Datasets["image-folder"].Load(folder["set"], size);

    static Dataset Packed(string file, ReadOptions? options = null, string set = "image-folder") =>
        Toolkit.BuiltIn.Datasets[set].Load(file, options ?? new ReadOptions(32));

    // Waves of color, so that scaling and encoding have something to do.
    static byte[] Photograph(int height, int width, int seed)
    {
        var pixels = new byte[height * width * 3];
        for (var (y, at) = (0, 0); y < height; y++)
            for (var x = 0; x < width; x++)
                for (var c = 0; c < 3; c++)
                    pixels[at++] = (byte)(128 + 100 * Math.Sin((x * (c + 1) + y * seed) / 17.0));
        return ImageCodec.EncodeJpeg(pixels, height, width, 95);
    }

    void PutSmallSet()
    {
        Put("set/train/a/1.png", red);
        Put("set/train/a/2.jpg", Photograph(40, 30, 2));
        Put("set/train/b/deep/3.jpg", Photograph(20, 60, 3));
        Put("set/val/b/4.jpg", Photograph(25, 35, 4));
    }

    [Fact]
    public void Images_that_are_small_enough_stay_byte_for_byte_and_others_are_scaled()
    {
        PutSmallSet();
        var heard = new Heard();
        var packed = PackWriter.Write(Set(), folder["set.pack"], new(Size: 25), progress: heard);
        Assert.Equal((4, 1, new FileInfo(folder["set.pack"]).Length), (packed.Images, packed.Scaled, packed.Bytes));
        Assert.Equal(new WorkProgress("packing images", 4, 4), heard.Steps[^1]);
        var data = Packed(folder["set.pack"]);
        Assert.Equal(["a", "b"], data.ClassNames);
        Assert.Equal([0, 0, 1], data.Train.Labels.ToArray());
        Assert.Equal([1], data.Test.Labels.ToArray());
        var (train, test) = ((PhotographSet)data.Train, (PhotographSet)data.Test);
        Assert.Equal($"{folder["set.pack"]}: train/b/deep/3.jpg", train.FileName(2));
        Assert.Equal(red, Content(train, 0));
        Assert.Equal(File.ReadAllBytes(folder["set/train/b/deep/3.jpg"]), Content(train, 2));
        Assert.Equal(File.ReadAllBytes(folder["set/val/b/4.jpg"]), Content(test, 0));
        var scaled = train.Original(1);
        Assert.Equal((33, 25), (scaled.Height, scaled.Width));
        var original = Set().Train.Original(1);
        var expected = ImageScaling.Scale(original, ImageArea.Of(original), 33, 25);
        Assert.InRange(expected.Zip(scaled.Pixels.ToArray()).Average(pair => Math.Abs(pair.First - pair.Second)), .1, 8);
        Assert.Equal(["set", "set.pack"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());

        // A list of classes gives another order here too.
        var turned = Packed(folder["set.pack"], new ReadOptions(32) { Classes = ["b", "a"] });
        Assert.Equal([1, 1, 0], turned.Train.Labels.ToArray());
        Assert.Contains("names 'c', and", Refusal(() => Packed(folder["set.pack"], new ReadOptions(32) { Classes = ["a", "b", "c"] })));
        Assert.Contains("holds 2 classes, but ImageNet has 1000", Refusal(() => Packed(folder["set.pack"], set: "imagenet")));
        Assert.Equal(2, Toolkit.BuiltIn.Datasets["image-folder"].ClassesIn(folder["set.pack"]));

        static byte[] Content(PhotographSet set, int index)
        {
            using var content = set.OpenFile(index);
            return content.Span.ToArray();
        }
    }

    [Fact]
    public void Folders_shards_and_packed_files_give_the_same_batches_where_nothing_is_scaled()
    {
        PutSmallSet();
        PackWriter.Write(Set(), folder["set.pack"], new());
        PackWriter.Write(Set(), folder["raw.pack"], new(Quality: null));
        ShardWriter.Write(folder["set"], folder["shards"], new ReadOptions(32), perShard: 2);
        PackWriter.Write(Toolkit.BuiltIn.Datasets["webdataset"].Load(folder["shards"]), folder["shards.pack"], new());
        var expected = Batches(Set());
        Assert.Equal(expected, Batches(Packed(folder["shards"], set: "webdataset")));
        foreach (var name in new[] { "set.pack", "raw.pack", "shards.pack" }) Assert.Equal(expected, Batches(Packed(folder[name])));
        Assert.Equal(["a", "b"], Packed(folder["shards.pack"]).ClassNames);

        static float[] Batches(Dataset data) =>
        [
            .. new BatchLoader(data.Train, data.Normalization, BatchOptions.Training(2, 3, new(new ResizedCrop(), new Flip()))).Epoch(1)
                .Concat(new BatchLoader(data.Test, data.Normalization, BatchOptions.Evaluation(2)).Epoch())
                .SelectMany(batch => (float[])[.. batch.Images.Memory<float>(), .. batch.Labels.ToArray<long>()]),
        ];
    }

    [Theory]
    [InlineData(90)]
    [InlineData(null)]
    public void The_cameras_orientation_outlives_scaling(int? quality)
    {
        PutSmallSet();
        Put("set/train/a/2.jpg", Orientation.Noted(Photograph(40, 30, 2), 6));
        PackWriter.Write(Set(), folder["set.pack"], new(Size: 25, quality));
        var (stored, upright) = (Packed(folder["set.pack"]), Packed(folder["set.pack"], new ReadOptions(32) { Upright = true }));
        Assert.Equal((33, 25), (stored.Train.Original(1).Height, stored.Train.Original(1).Width));
        Assert.Equal((25, 33), (upright.Train.Original(1).Height, upright.Train.Original(1).Width));
        Assert.Equal(stored.Train.Original(1).Pixels[..3].ToArray(), upright.Train.Original(1).Pixels.Slice(32 * 3, 3).ToArray());
        var crop = new byte[16 * 16 * 3];
        upright.Train.Crop(1, (height, width) => new(0, 0, height, width), 16, 16, crop);
        var whole = upright.Train.Original(1);
        Assert.Equal(ImageScaling.Scale(whole, ImageArea.Of(whole), 16, 16), crop);
    }

    /// <summary>docs/data.md has these figures.</summary>
    [SharedTheory]
    [InlineData(90)]
    [InlineData(null)]
    public void A_packed_photograph_is_nearly_the_unpacked_one(int? quality)
    {
        foreach (var file in ImageFiles.In(SharedFiles.Path("data/jpeg")))
        {
            Directory.CreateDirectory(folder["set/train/a"]);
            File.CreateSymbolicLink(folder["set/train/a/" + Path.GetFileName(file)], file);
        }
        Put("set/val/a/1.png", red);
        var summary = PackWriter.Write(Set(224), folder["set.pack"], new(Quality: quality));
        var exact = new ReadOptions(224) { ScaledDecoding = false };
        var (unpacked, packed) =
            (Toolkit.BuiltIn.Datasets["image-folder"].Load(folder["set"], exact).Train, Packed(folder["set.pack"], exact).Train);
        long sum = 0, cropSum = 0, count = 0;
        int largest = 0, cropLargest = 0;
        for (var i = 0; i < unpacked.Count; i++)
        {
            Add(unpacked.Image(i).Pixels, packed.Image(i).Pixels, ref sum, ref largest);
            var (one, other) = (new byte[224 * 224 * 3], new byte[224 * 224 * 3]);
            unpacked.Crop(i, Middle, 224, 224, one);
            packed.Crop(i, Middle, 224, 224, other);
            Add(one, other, ref cropSum, ref cropLargest);
            count += one.Length;
        }
        output.WriteLine(
            $"quality {quality}: {summary.Scaled} scaled, {summary.Bytes} bytes; to measure: mean {sum / (double)count:0.000}, largest "
            + $"{largest}; crops: mean {cropSum / (double)count:0.000}, largest {cropLargest}");
        Assert.Equal(14, summary.Scaled);
        Assert.InRange(sum / (double)count, .01, 2);
        Assert.InRange(cropSum / (double)count, .01, 3);

        static ImageArea Middle(int height, int width) => new(height / 5, width / 5, height / 2, width / 2);

        static void Add(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other, ref long sum, ref int largest)
        {
            for (var i = 0; i < one.Length; i++)
            {
                var difference = Math.Abs(one[i] - other[i]);
                sum += difference;
                largest = Math.Max(largest, difference);
            }
        }
    }

    [Fact]
    public void What_cannot_be_packed_leaves_nothing_behind()
    {
        PutSmallSet();
        var damaged = Photograph(300, 300, 1);
        (damaged[damaged.Length / 2], damaged[damaged.Length / 2 + 1]) = (0xff, 0xd9);
        Put("set/train/b/0.jpg", damaged);
        Assert.StartsWith(
            $"'{folder["set/train/b/0.jpg"]}' is a damaged JPEG image: ",
            Refusal(() => PackWriter.Write(Set(), folder["set.pack"], new())));
        using (var stopped = new CancellationTokenSource())
        {
            stopped.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(
                () => PackWriter.Write(Set(), folder["set.pack"], new(), stop: stopped.Token));
        }
        Assert.Equal(["set"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
        var packed = PackWriter.Write(Set(), folder["set.pack"], new(), skipDamaged: true);
        Assert.Equal((4, folder["set/train/b/0.jpg"]), (packed.Images, Assert.Single(packed.LeftOut).File));
        Assert.Equal(3, Packed(folder["set.pack"]).Train.Count);
        Assert.Contains("exists already", Refusal(() => PackWriter.Write(Set(), folder["set.pack"], new(), skipDamaged: true)));
        Assert.Contains("1 to 100, not 101", Refusal(() => PackWriter.Write(Set(), folder["other.pack"], new(Quality: 101))));
        Assert.Contains("shorter side of 0", Refusal(() => PackWriter.Write(Set(), folder["other.pack"], new(Size: 0))));
        Assert.Contains(
            "no files of their own", Refusal(() => PackWriter.Write(Training.TinyTraining.Data, folder["other.pack"], new())));
    }

    [Fact]
    public void Damaged_and_foreign_files_are_refused()
    {
        PutSmallSet();
        PackWriter.Write(Set(), folder["set.pack"], new());
        var whole = File.ReadAllBytes(folder["set.pack"]);
        Assert.Contains("is damaged: its index does not have the digest", Changed(whole, whole.Length - 40));
        Assert.Contains("was packed in version 2 of this form, and 1 is read here", Changed(whole, 8, 3));
        Assert.Contains("is damaged", Changed(whole, 16));
        File.WriteAllBytes(folder["changed.pack"], whole[..^1]);
        Assert.Contains("is cut short or damaged", Refusal(() => Packed(folder["changed.pack"])));
        File.WriteAllBytes(folder["changed.pack"], []);
        Assert.Contains("is empty", Refusal(() => PhotographPack.Open(folder["changed.pack"])));
        File.WriteAllBytes(folder["changed.pack"], new byte[100]);
        Assert.Contains("is no packed file", Refusal(() => PhotographPack.Open(folder["changed.pack"])));
        Assert.Contains("does not exist", Refusal(() => PhotographPack.Open(folder["none.pack"])));
        // An image that was damaged afterwards shows when it is read, with its name.
        File.WriteAllBytes(folder["changed.pack"], [.. whole[..84], (byte)(whole[84] ^ 255), .. whole[85..]]);
        var set = Packed(folder["changed.pack"]);
        Assert.Contains("changed.pack: train/a/1.png' is a damaged PNG image", Refusal(() => _ = set.Train.Original(0)));

        string Changed(byte[] file, int at, byte by = 1)
        {
            File.WriteAllBytes(folder["changed.pack"], [.. file[..at], (byte)(file[at] ^ by), .. file[(at + 1)..]]);
            return Refusal(() => Packed(folder["changed.pack"]));
        }
    }

    [Fact]
    public void Damage_of_any_kind_is_read_or_refused()
    {
        foreach (var name in new[] { "train/a/1.png", "train/b/2.png", "val/b/3.png" }) Put("set/" + name, red);
        PackWriter.Write(Set(), folder["set.pack"], new());
        PackWriter.Write(Set(), folder["raw.pack"], new(Quality: null));
        byte[][] files = [File.ReadAllBytes(folder["set.pack"]), File.ReadAllBytes(folder["raw.pack"])];
        // The digest shields the index from most damage: every other pair is signed again, so that it is read.
        var number = 0;
        Fuzz.Run([.. files, .. files], file => Read(number++ / 2 % 2 == 0 ? file : Signed(file)));

        void Read(byte[] file)
        {
            File.WriteAllBytes(folder["damaged.pack"], file);
            var (train, test) = PhotographPack.Open(folder["damaged.pack"]).Read(new ReadOptions(32));
            for (var i = 0; i < train.Count; i++) _ = train.Original(i);
            for (var i = 0; i < test.Count; i++) _ = test.Image(i);
        }
    }

    static byte[] Signed(byte[] file)
    {
        if (file.Length < PackHeader.Size) return file;
        var signed = (byte[])file.Clone();
        BitConverter.TryWriteBytes(signed.AsSpan(24), (long)file.Length);
        var index = BitConverter.ToInt64(file, 16);
        if (index < 0 || index > file.Length) return signed;
        System.Security.Cryptography.SHA256.HashData(signed.AsSpan((int)index), signed.AsSpan(32, 32));
        return signed;
    }

    static string Refusal(Action action) => Assert.ThrowsAny<UserException>(action).Message;
}
