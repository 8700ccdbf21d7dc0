using System.Buffers.Binary;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

public sealed class CheckpointTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A checkpoint of some tensors, other ones for each step.</summary>
    static Checkpoint Sample(long step, int size = 300) => new(
        new()
        {
            Epoch = 2, Batch = 3, Step = step, Images = 24, Seconds = 1.5, BestAcc1 = 12.5, BestEpoch = 1, Accuracy = new(10, 1, 5),
            TermSums = new() { ["ce"] = 1.0 / 3, ["kd"] = step },
        },
        [
            Stored("student.conv1.weight", [size / 3, 3], step), Stored("student.bn1.running_var", [7], step + 1),
            Stored("momentum.student.conv1.weight", [size / 3, 3], step + 2), Stored("objective.crd.z", [2], step + 3),
        ]);

    static StoredTensor Stored(string name, long[] shape, long seed)
    {
        var random = new Random((int)seed);
        var bytes = new byte[sizeof(float) * shape.Aggregate(1L, (product, length) => product * length)];
        for (var at = 0; at < bytes.Length; at += sizeof(float))
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(at), random.NextSingle());
        return new(name, DType.Float32, shape, bytes);
    }

    CheckpointStore Store(int keep = 2, params long[] steps)
    {
        var store = new CheckpointStore(folder["checkpoints"], keep);
        foreach (var step in steps) store.Save(Sample(step), best: false);
        return store;
    }

    string[] Names =>
        [.. Directory.GetFileSystemEntries(folder["checkpoints"]).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Fact]
    public void What_is_written_is_read()
    {
        Sample(6).Write(folder["a"]);
        Assert.Equal(TinyTraining.Content(Sample(6)), TinyTraining.Content(Checkpoint.Read(folder["a"])));
        Assert.Equal(1.5, Checkpoint.Read(folder["a"]).Progress.Seconds);
    }

    [Fact]
    public void A_checkpoint_cut_short_anywhere_gives_way_to_the_one_before()
    {
        var store = Store(2, 3, 6);
        var whole = File.ReadAllBytes(store.Files[0]);
        var lengths = Enumerable.Range(0, 50).Select(i => (int)((long)whole.Length * i / 50)).Append(whole.Length - 1).ToArray();
        foreach (var length in lengths)
        {
            File.WriteAllBytes(store.Files[0], whole[..length]);
            AssertGivesWay(store, $"cut to {length} bytes");
        }
    }

    [Fact]
    public void Any_flipped_bit_is_noticed()
    {
        var store = Store(2, 3, 6);
        var whole = File.ReadAllBytes(store.Files[0]);
        var random = new Random(6);
        // The header is where a flipped bit could pass for something else: every byte of it once, then 200 bits anywhere.
        var header = Enumerable.Range(0, 8 + BinaryPrimitives.ReadInt32LittleEndian(whole)).Select(at => 8 * at + random.Next(8));
        var anywhere = Enumerable.Range(0, 200).Select(_ => random.Next(8 * whole.Length));
        foreach (var bit in header.Concat(anywhere))
        {
            var damaged = (byte[])whole.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(store.Files[0], damaged);
            AssertGivesWay(store, $"bit {bit} of {8 * whole.Length}");
        }
    }

    static void AssertGivesWay(CheckpointStore store, string damage)
    {
        var warnings = new List<string>();
        var (checkpoint, path) = store.Latest(warnings.Add)!.Value;
        Assert.True(checkpoint.Progress.Step == 3, damage);
        Assert.EndsWith("step-000000003.safetensors", path);
        var warning = Assert.Single(warnings);
        Assert.StartsWith(store.Files[0], warning);
        Assert.EndsWith("; step-000000003.safetensors is tried instead", warning);
    }

    [Fact]
    public void Where_none_of_the_latest_is_whole_the_best_one_is_used()
    {
        var store = Store();
        store.Save(Sample(3), best: true);
        store.Save(Sample(6), best: false);
        foreach (var file in store.Files) File.WriteAllBytes(file, [1, 2, 3]);
        var warnings = new List<string>();
        Assert.Equal(store.BestPath, store.Latest(warnings.Add)!.Value.Path);
        Assert.Equal(2, warnings.Count);

        File.WriteAllBytes(store.BestPath, []);
        var error = Assert.Throws<UserException>(() => store.Latest(_ => { }));
        Assert.Equal(
            $"{store.Folder}: all 3 checkpoints are damaged, so the run cannot be resumed; begin it anew under another name",
            error.Message);
    }

    [Fact]
    public void A_weights_file_is_no_checkpoint()
    {
        SafeTensorsFile.Write(folder["weights.safetensors"], Sample(1).Tensors);
        Assert.Contains(
            "this is no checkpoint of a training run",
            Assert.Throws<UserException>(() => Checkpoint.Read(folder["weights.safetensors"])).Message);
    }

    [Fact]
    public void Where_there_is_none_nothing_is_found()
    {
        Assert.Null(Store().Latest(Assert.Fail));
        Assert.False(Directory.Exists(folder["checkpoints"]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_last_few_are_kept_and_the_best(int keep)
    {
        var store = Store(keep);
        for (var step = 1; step <= 5; step++) store.Save(Sample(step), best: step == 2);

        string[] latest = ["step-000000003.safetensors", "step-000000004.safetensors", "step-000000005.safetensors"];
        Assert.Equal(["best.safetensors", .. latest[^keep..]], Names);
        Assert.Equal(2, Checkpoint.Read(store.BestPath).Progress.Step);
    }

    [Fact]
    public void A_damaged_one_takes_no_other_ones_place()
    {
        var store = Store(2, 3, 6);
        File.WriteAllBytes(store.Files[0], [0]);
        Assert.Equal(3, store.Latest(_ => { })!.Value.Checkpoint.Progress.Step);

        store.Save(Sample(5), best: false);
        Assert.Equal(["step-000000003.safetensors", "step-000000005.safetensors"], Names);
    }

    [Fact]
    public void What_a_killed_process_left_is_swept_up()
    {
        Store(2, 3);
        File.WriteAllBytes(folder["checkpoints/step-000000006.safetensors.0123456789ab.tmp"], new byte[100]);
        Store(2, 7);
        Assert.Equal(["step-000000003.safetensors", "step-000000007.safetensors"], Names);
    }

    [Fact]
    public void A_best_one_that_could_not_be_written_is_written_with_the_next()
    {
        var store = Store(2, 1);
        // A folder in its place refuses the file.
        Directory.CreateDirectory(store.BestPath);
        Assert.Contains("best.safetensors", Assert.Throws<UserException>(() => store.Save(Sample(2), best: true)).Message);
        // No checkpoint speaks of a best epoch that is not there.
        Assert.Equal(1, store.Latest(Assert.Fail)!.Value.Checkpoint.Progress.Step);

        Directory.Delete(store.BestPath);
        store.Save(Sample(3), best: false);
        Assert.Equal(2, Checkpoint.Read(store.BestPath).Progress.Step);
        Assert.Equal(3, store.Latest(Assert.Fail)!.Value.Checkpoint.Progress.Step);
    }
}
