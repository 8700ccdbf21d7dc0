using System.Formats.Tar;
using System.Text;
using DistillSharp.Data;
using DistillSharp.Extending;

namespace DistillSharp.Tests.Data;

public sealed class ShardTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static readonly byte[] red =
        Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAIAAADwyuo0AAAAEElEQVR4nGP4z8AARwzIHABvqgf5gNwAKAAAAABJRU5ErkJggg==");

    static Dataset Load(string root, bool skip = false) => Toolkit.BuiltIn.Datasets["webdataset"].Load(root, new ReadOptions(32, skip));

    void Shard(string name, params (string Name, byte[] Content)[] entries)
    {
        using var tar = new TarWriter(File.Create(folder[name]), TarEntryFormat.Pax);
        foreach (var (entry, content) in entries)
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, entry) { DataStream = new MemoryStream(content) });
    }

    static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public void Samples_are_entries_of_one_key()
    {
        Shard("x-train-0.tar", ("b/1.png", red), ("b/1.cls", Text("2\n")), ("b/1.txt", Text("a caption")),
            ("b/2.json", Text("""{"label": 0}""")), ("b/2.png", red));
        Shard("x-train-1.tar", ("3.seg.png", red), ("3.png", red), ("3.cls", Text("1")), (new string('k', 150) + ".png", red),
            (new string('k', 150) + ".cls", Text("0")));
        Shard("x-val-0.tar", ("v.png", red), ("v.cls", Text("2")));
        foreach (
            var root in new[] {
                folder.Path, folder["x-{train-{0..1},val-0}.tar"], folder["x-train-{0..1}.tar"] + "::" + folder["x-val-0.tar"] })
        {
            var data = Load(root);
            Assert.Equal([2, 0, 1, 0], data.Train.Labels.ToArray());
            Assert.Equal([2], data.Test.Labels.ToArray());
            Assert.Equal(["0", "1", "2"], data.ClassNames);
            Assert.Equal([255, 0, 0], data.Train.Original(3).Pixels[..3].ToArray());
            Assert.Equal(["1 .seg.png", "1 .txt"], data.Train.LeftOut);
        }
        File.WriteAllText(folder["classes.txt"], "cat\ndog\ncow\n");
        Assert.Equal(["cat", "dog", "cow"], Load(folder.Path).ClassNames);
        File.WriteAllText(folder["classes.txt"], "cat\ndog\n");
        Assert.Contains("has 2 names, but the shards have labels up to 2", Assert.Throws<UserException>(() => Load(folder.Path)).Message);
    }

    [Fact]
    public void What_is_wrong_is_named()
    {
        Assert.Contains("holds no shards", Refusal(folder.Path));
        Shard("train-0.tar", ("1.png", red), ("1.cls", Text("0")), ("2.png", red[..30]), ("2.cls", Text("0")), ("3.png", red),
            ("4.png", []), ("4.cls", Text("x")), ("5.cls", Text("1")));
        Assert.Contains("'val' or 'valid'", Refusal(folder.Path));
        Shard("val-0.tar", ("1.png", red), ("1.cls", Text("0")));
        var refusal = Refusal(folder.Path);
        Assert.StartsWith("3 files cannot be read as images: ", refusal);
        Assert.Contains($"'{folder["train-0.tar"]}: 2.png' is a damaged PNG image", refusal);
        Assert.Contains("3.png' has no label: neither .cls nor .json", refusal);
        Assert.Contains("4.png' is empty", refusal);
        var data = Load(folder.Path, skip: true);
        Assert.Equal(1, data.Train.Count);
        Assert.Equal(["1 label without an image", "3 damaged"], data.Train.LeftOut);
        Assert.Contains("1 of the 2 shards", Refusal(folder["train-{0..1}.tar"]));

        // A shard that is cut: what is whole before can be used, the rest is said.
        Shard("train-0.tar", ("1.png", red), ("1.cls", Text("0")), ("2.png", red), ("2.cls", Text("0")));
        var whole = File.ReadAllBytes(folder["train-0.tar"]);
        File.WriteAllBytes(folder["train-0.tar"], whole[..5700]);
        Assert.Contains("cannot be read further", Refusal(folder.Path));
        Assert.Equal(1, Load(folder.Path, skip: true).Train.Count);
        File.WriteAllText(folder["train-0.tar"], new string('x', 2000));
        Assert.Contains("is not a tar archive", Refusal(folder.Path));
    }

    string Refusal(string root) => Assert.Throws<UserException>(() => Load(root)).Message;

    [Theory]
    [InlineData("a-{08..11}.tar", "a-08.tar a-09.tar a-10.tar a-11.tar")]
    [InlineData("{x,y{1..2}}z", "xz y1z y2z")]
    [InlineData("a::b{1,2}", "a b1 b2")]
    public void Patterns_are_those_of_shells(string pattern, string names) => Assert.Equal(names.Split(' '), BracePattern.Expand(pattern));

    [Theory]
    [InlineData("a{1..")]
    [InlineData("a}b")]
    [InlineData("a{b}")]
    [InlineData("a{3..1}")]
    public void Patterns_that_make_no_sense_are_refused(string pattern) => Assert.Throws<UserException>(() => BracePattern.Expand(pattern));

    [SharedFact]
    public void Shards_of_a_folder_give_its_batches_bit_for_bit()
    {
        foreach (var part in new[] { "train", "val" })
            foreach (
                var path in Directory.GetDirectories(SharedFiles.Path($"data/imagenette/{part}")).Order(StringComparer.Ordinal).Take(3))
            {
                var to = folder[$"set/{part}/{Path.GetFileName(path)}"];
                Directory.CreateDirectory(to);
                foreach (var file in Directory.GetFiles(path).Order(StringComparer.Ordinal).Take(4))
                    File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
            }
        var heard = new Heard();
        var shards = ShardWriter.Write(folder["set"], folder["shards"], new ReadOptions(64), perShard: 5, heard);
        Assert.Equal((6, new WorkProgress("writing images", 24, 24)), (shards.Count, heard.Steps[^1]));
        var (folders, sharded) =
            (Datasets.ImageFolder(folder["set"], 64), Toolkit.BuiltIn.Datasets["webdataset"].Load(folder["shards"], 64));
        Assert.Equal(folders.ClassNames, sharded.ClassNames);
        Assert.Equal(Batches(folders, folders.Train, BatchOptions.Training(5, 3, new(new ResizedCrop(), new Flip()))),
            Batches(sharded, sharded.Train, BatchOptions.Training(5, 3, new(new ResizedCrop(), new Flip())) with { Threads = 3 }));
        Assert.Equal(
            Batches(folders, folders.Test, BatchOptions.Evaluation(5)), Batches(sharded, sharded.Test, BatchOptions.Evaluation(5)));
        Assert.Contains(
            "is not empty",
            Assert.Throws<UserException>(() => ShardWriter.Write(folder["set"], folder["shards"], new ReadOptions(64), 5)).Message);

        static float[] Batches(Dataset data, ImageSet set, BatchOptions options) =>
        [
            .. new BatchLoader(set, data.Normalization, options).Epoch(1)
                .SelectMany(batch => (float[])[.. batch.Images.Memory<float>(), .. batch.Labels.ToArray<long>()]),
        ];
    }

    [Fact]
    public void A_check_reads_everything_to_the_last_pixel()
    {
        foreach (var name in new[] { "train/a/1.png", "train/a/2.png", "train/a/note.tiff", "val/a/1.png", "val/a/2.png" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
            File.WriteAllBytes(folder[name], red);
        }
        // Its beginning and end are whole: only decoding shows it.
        File.WriteAllBytes(folder["train/a/2.png"], [.. red[..40], .. red[^12..]]);
        File.WriteAllBytes(folder["val/a/2.png"], []);
        var heard = new Heard();
        var check = DataCheck.Of(Toolkit.BuiltIn.Datasets["image-folder"], folder.Path, heard);
        Assert.Equal(
            [new("reading images", 1, 3), new("reading images", 2, 3), new("reading images", 3, 3)],
            heard.Steps.Where(step => step.Work == "reading images"));
        Assert.Equal((2, 2), (check.Read, check.Broken.Count));
        Assert.Equal((folder["val/a/2.png"], "is empty"), (check.Broken[0].File, check.Broken[0].Why));
        Assert.Equal(folder["train/a/2.png"], check.Broken[1].File);
        Assert.StartsWith("is a damaged PNG image", check.Broken[1].Why);
        Assert.Equal(["1 .tiff", "1 damaged"], check.Skipped);
    }

    [Fact]
    public void A_kept_index_holds_as_long_as_nothing_changed()
    {
        var part = folder["train"];
        foreach (var label in new[] { "a", "b" }) Directory.CreateDirectory(Path.Combine(part, label, "deep"));
        for (var i = 0; i < KeptIndex.MinCount; i++)
            File.WriteAllBytes(Path.Combine(part, i % 2 == 0 ? "a" : "b/deep", $"{i:00000}.png"), red);
        var first = FolderListing.Of(part, ["a", "b"], progress: null);
        var kept = folder[".distill-train.index"];
        Assert.True(File.Exists(kept));
        var written = File.GetLastWriteTimeUtc(kept);
        Assert.Equal(KeptIndex.MinCount, FolderListing.Of(part, ["a", "b"], progress: null).Count);
        Assert.Equal(written, File.GetLastWriteTimeUtc(kept));
        Assert.Equal(first.Labels(), FolderListing.Of(part, ["a", "b"], progress: null).Labels());
        Assert.Equal(("00001.png", 1), (first[KeptIndex.MinCount / 2].Name, first[KeptIndex.MinCount / 2].Label));

        File.WriteAllBytes(Path.Combine(part, "b/deep/new.png"), red);
        Assert.Equal(KeptIndex.MinCount + 1, FolderListing.Of(part, ["a", "b"], progress: null).Count);
        File.Delete(Path.Combine(part, "a/00000.png"));
        Assert.Equal(KeptIndex.MinCount, FolderListing.Of(part, ["a", "b"], progress: null).Count);
        File.WriteAllBytes(kept, File.ReadAllBytes(kept)[..1000]);
        Assert.Equal(KeptIndex.MinCount, FolderListing.Of(part, ["a", "b"], progress: null).Count);
    }
}
