using System.Runtime.InteropServices;
using System.Text;
using DistillSharp.Formats;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Formats;

public class PyTorchFileTests
{
    static IReadOnlyList<StoredTensor> Read(byte[] file) => WeightsFile.Read(new MemoryStream(file), "w.pth");

    static string Refusal(byte[] file) => Assert.Throws<UserException>(() => Read(file)).Message;

    static string RefusalOf(string fixture) => Refusal(Fixture.Bytes(fixture));

    static T[] Values<T>(IReadOnlyList<StoredTensor> tensors, string name, params long[] shape) where T : unmanaged
    {
        var tensor = tensors.Single(tensor => tensor.Name == name);
        Assert.Equal(shape, tensor.Shape);
        return MemoryMarshal.Cast<byte, T>(tensor.Data.Span).ToArray();
    }

    /// <summary>The tensor of arange(24) as [2, 3, 4], at an index.</summary>
    static float Base(int i, int j, int k) => 12 * i + 4 * j + k;

    static IEnumerable<int> Upto(int count) => Enumerable.Range(0, count);

    [Theory]
    [InlineData("every.pth")]
    [InlineData("every-legacy.pth")]
    [InlineData("every-legacy-1.pth")]
    [InlineData("every-protocol-5.pth")]
    [InlineData("every-deflated.pth")]
    [InlineData("every-big-endian.pth")]
    public void Every_layout_and_type_reads_as_PyTorch_means_it(string fixture)
    {
        var tensors = WeightsFile.Read(Fixture.Path(fixture));
        Assert.Equal(
            ["plain", "transposed", "sliced", "row", "scalar", "expanded", "channels_last", "empty", "parameter", "i8", "u8", "i16", "i32",
                "i64", "flags", "half", "brain", "double"],
            tensors.Select(tensor => tensor.Name));
        Assert.Equal(Upto(24).Select(i => (float)i), Values<float>(tensors, "plain", 2, 3, 4));
        Assert.Equal(
            from k in Upto(4) from j in Upto(3) from i in Upto(2) select Base(i, j, k), Values<float>(tensors, "transposed", 4, 3, 2));
        Assert.Equal(
            from i in Upto(2) from j in Upto(2) from k in Upto(2) select Base(i, j + 1, 2 * k), Values<float>(tensors, "sliced", 2, 2, 2));
        Assert.Equal([20f, 21, 22, 23], Values<float>(tensors, "row", 4));
        Assert.Equal([3.5f], Values<float>(tensors, "scalar"));
        Assert.Equal([7f, 7, 7, 7, 7, 7], Values<float>(tensors, "expanded", 2, 3));
        Assert.Equal(Upto(48).Select(i => (float)i), Values<float>(tensors, "channels_last", 2, 2, 3, 4));
        Assert.Empty(Values<float>(tensors, "empty", 0, 5));
        Assert.Equal([1f, 2], Values<float>(tensors, "parameter", 2));
        Assert.Equal([(sbyte)-1, (sbyte)2], Values<sbyte>(tensors, "i8", 2));
        Assert.Equal([(byte)255, (byte)2], Values<byte>(tensors, "u8", 2));
        Assert.Equal([(short)-1, (short)300], Values<short>(tensors, "i16", 2));
        Assert.Equal([-1, 70000], Values<int>(tensors, "i32", 2));
        Assert.Equal([1L << 40], Values<long>(tensors, "i64"));
        Assert.Equal([(byte)1, (byte)0], Values<byte>(tensors, "flags", 2));
        Assert.Equal([(Half)1.5, (Half)(-2.0)], Values<Half>(tensors, "half", 2));
        Assert.Equal([(ushort)0x3fc0, (ushort)0xc000], Values<ushort>(tensors, "brain", 2));
        Assert.Equal([1.5, -2.0], Values<double>(tensors, "double", 2));
        Assert.Equal(
            [DType.Int8, DType.UInt8, DType.Int16, DType.Int32, DType.Int64, DType.Bool, DType.Float16, DType.BFloat16, DType.Float64],
            tensors.Skip(9).Select(tensor => tensor.Type));
    }

    [Theory]
    [InlineData("training.pth", "module.student.")]
    [InlineData("deep.pth", "")]
    [InlineData("odd-key.pth", "")]
    [InlineData("whole-model.pth", "")]
    public void The_state_dict_is_found_wherever_programs_put_it(string fixture, string prefix)
    {
        var tensors = WeightsFile.Read(Fixture.Path(fixture));
        Assert.Equal(
            from name in (string[])[
                "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"]
            select prefix
                + name,
            tensors.Select(tensor => tensor.Name));
        Assert.Equal([3L, 2L], tensors[0].Shape);
        Assert.Equal([1L], Values<long>(tensors, prefix + "1.num_batches_tracked"));
    }

    [Theory]
    [InlineData("no-tensors.pth", "no state dict was found: nothing in it is a tensor under a name; its keys are 'epoch', 'names'")]
    [InlineData("list.pth", "nothing in it is a tensor under a name")]
    [InlineData("complex.pth", "the tensor 'a' has elements of type ComplexFloatStorage")]
    [InlineData("sparse.pth", "the tensor 'a' is sparse")]
    public void What_is_no_state_dict_is_refused_with_the_reason(string fixture, string said)
    {
        var message = RefusalOf(fixture);
        Assert.StartsWith("w.pth", message);
        Assert.Contains(said, message);
    }

    [SharedTheory]
    [InlineData("resnet56.pth", 344, 861_620)]
    [InlineData("resnet20-legacy.pth", 128, 278_324)]
    [InlineData("resnet20-wrapped.pth", 128, 278_324)]
    public void Real_teachers_read(string file, int tensors, long parameters)
    {
        var read = WeightsFile.Read(SharedFiles.Path($"data/checkpoints/{file}"));
        Assert.Equal(tensors, read.Count);
        Assert.EndsWith("conv1.weight", read[0].Name);
        Assert.Equal([16L, 3L, 3L, 3L], read[0].Shape);
        Assert.Equal(
            parameters,
            read.Where(tensor => !tensor.Name.Contains("running_") && !tensor.Name.EndsWith("num_batches_tracked"))
                .Sum(tensor => tensor.Count));
    }

    [SharedFact]
    public void The_old_and_the_wrapped_file_hold_the_same_weights()
    {
        var legacy = WeightsFile.Read(SharedFiles.Path("data/checkpoints/resnet20-legacy.pth"));
        var wrapped = WeightsFile.Read(SharedFiles.Path("data/checkpoints/resnet20-wrapped.pth"));
        Assert.Equal(legacy.Count, wrapped.Count);
        Assert.All(legacy.Zip(wrapped), pair =>
        {
            Assert.Equal(("module.student." + pair.First.Name, pair.First.Type), (pair.Second.Name, pair.Second.Type));
            Assert.Equal(pair.First.Data.ToArray(), pair.Second.Data.ToArray());
        });
    }

    [SharedFact]
    public void Memory_is_the_file_once_not_twice()
    {
        var path = SharedFiles.Path("data/checkpoints/resnet56.pth");
        WeightsFile.Read(path);
        var before = GC.GetAllocatedBytesForCurrentThread();
        WeightsFile.Read(path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (long)(1.5 * new FileInfo(path).Length));
    }

    [SharedFact]
    public void A_TorchScript_archive_is_told_from_weights() => Assert.Contains(
        "is a TorchScript archive",
            Assert.Throws<UserException>(() => WeightsFile.Read(SharedFiles.Path("data/checkpoints/tiny-torchscript.pt"))).Message);

    [Fact]
    public void A_state_dict_of_another_s_code_runs_nothing()
    {
        foreach (
            var pickle in (string[])[
                "cos\nsystem\n(S'touch pwned'\ntR.", "}(U\u0001ac__builtin__\neval\n(S'1'\ntRu.",
                "ctorch.storage\n_load_from_bytes\n(U\u0001xtR."])
        {
            Assert.Contains("which is not known here and was not run", Refusal(Checkpoint(pickle)));
            Assert.False(File.Exists("pwned"));
        }
    }

    const string Storage = "((U\u0007storagectorch\nFloatStorage\nU\u00010U\u0003cpuK\u0004tQ";

    static string Tensor(string rest) => "}(U\u0001actorch._utils\n_rebuild_tensor_v2\n" + Storage + rest + "\u0089NtRu.";

    [Theory]
    [InlineData("K\u0000K\u0002K\u0002\u0086K\u0002K\u0001\u0086", null)]
    [InlineData("K\u0001K\u0002K\u0002\u0086K\u0002K\u0001\u0086", "reaches beyond its storage of 4 elements")]
    [InlineData("K\u0000K\u0002K\u0002\u0086K\u0003K\u0001\u0086", "reaches beyond its storage")]
    [InlineData("J\u00ff\u00ff\u00ff\u00ffK\u0002\u0085K\u0001\u0085", "reaches beyond its storage")]
    [InlineData("K\u0003K\u0002\u0085J\u00ff\u00ff\u00ff\u00ff\u0085", "reaches beyond its storage")]
    [InlineData("K\u0000K\u0002\u0085\u008a\u0008\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f\u0085", "reaches beyond its storage")]
    [InlineData("K\u0000J\u00ff\u00ff\u00ff\u00ff\u0085K\u0001\u0085", "impossible shape")]
    [InlineData("K\u0000J\u00ff\u00ff\u00ff\u007fJ\u00ff\u00ff\u00ff\u007f\u0086K\u0000K\u0000\u0086", "impossible shape")]
    [InlineData("K\u0000J\u00ff\u00ff\u00ff\u007f\u0085K\u0000\u0085", "larger than 2 GiB")]
    [InlineData("K\u0000J\u00ff\u00ff\u00ff\u0007\u0085K\u0000\u0085", "more than 10 times the memory")]
    [InlineData("K\u0000K\u0002K\u0002\u0086K\u0001\u0085", "2 sizes but 1 strides")]
    [InlineData("NK\u0002\u0085K\u0001\u0085", "where an integer is needed")]
    public void A_tensor_that_leads_outside_its_storage_is_refused(string view, string? said)
    {
        var file = Checkpoint(Tensor(view), ("archive/data/0", new byte[16]));
        if (said is null) Assert.Equal(16, Read(file).Single().Data.Length);
        else Assert.Contains(said, Refusal(file));
    }

    [Fact]
    public void A_storage_that_is_missing_or_too_short_is_said()
    {
        var pickle = Tensor("K\u0000K\u0004\u0085K\u0001\u0085");
        Assert.Contains("lacks 'archive/data/0'", Refusal(Checkpoint(pickle)));
        Assert.Contains(
            "needs 4 elements of storage '0' from element 0 on, which has 3",
            Refusal(Checkpoint(pickle, ("archive/data/0", new byte[15]))));
    }

    [Fact]
    public void A_reference_to_a_class_is_no_state_dict() =>
        Assert.Contains("no state dict", Refusal(Checkpoint("(U\u0006moduleNtQ.")));

    [Fact]
    public void Protocol_0_refers_to_storages_by_text_which_PyTorch_cannot_read_either() =>
        Assert.Contains("pickle protocol 0", Refusal(Checkpoint("P('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 4)\n.")));

    [Fact]
    public void A_state_dict_that_holds_itself_ends() =>
        Assert.Contains("no state dict", Refusal(Checkpoint("}q\u0000(U\u0005modelh\u0000U\u0003neth\u0000U\u0001xh\u0000u.")));

    [Fact]
    public void Wrappers_in_wrappers_are_searched_once_each()
    {
        // Twelve keys deep in each other, each dict under every key: without memory of where it was, 12^8 steps.
        var pickle = new StringBuilder("}");
        for (var i = 0; i < 30; i++)
        {
            pickle.Append($"q{(char)i}0}}(");
            foreach (var key in WeightsContent.Keys) pickle.Append($"U{(char)key.Length}{key}h{(char)i}");
            pickle.Append('u');
        }
        var started = Environment.TickCount64;
        Assert.Contains("no state dict", Refusal(Checkpoint(pickle.Append('.').ToString())));
        Assert.InRange(Environment.TickCount64 - started, 0, 10_000);
    }

    static byte[] Checkpoint(string pickle, params (string Name, byte[] Content)[] others)
    {
        var file = new MemoryStream();
        var zip = new StoredZipWriter(file, 64);
        zip.Add("archive/data.pkl", Encoding.Latin1.GetBytes(pickle));
        foreach (var (name, content) in others) zip.Add(name, content);
        zip.Finish();
        return file.ToArray();
    }
}
