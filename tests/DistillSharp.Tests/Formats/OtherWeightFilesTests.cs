using System.IO.Compression;
using System.Text;
using DistillSharp.Formats;
using DistillSharp.Formats.PyTorch;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;
using DistillSharp.Formats.TorchSharp;
using DistillSharp.Models;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Formats;

/// <summary>numpy's archives, TorchSharp's state files, numbers of one byte.</summary>
public sealed class OtherWeightFilesTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static readonly StoredTensor[] every =
    [
        new("conv.weight", DType.Float32, [2, 1, 1, 1], BitConverter.GetBytes(1f).Concat(BitConverter.GetBytes(-2f)).ToArray()),
        new("bn.num_batches_tracked", DType.Int64, [], BitConverter.GetBytes(7L)),
        new("half", DType.BFloat16, [3], new byte[] { 1, 2, 3, 4, 5, 6 }),
        new("flags", DType.Bool, [2], new byte[] { 0, 1 }),
        new("empty", DType.Float32, [0, 4], Array.Empty<byte>()),
    ];

    static void AssertSame(IReadOnlyList<StoredTensor> expected, IReadOnlyList<StoredTensor> read)
    {
        Assert.Equal(expected.Select(tensor => (tensor.Name, tensor.Type)), read.Select(tensor => (tensor.Name, tensor.Type)));
        Assert.All(expected.Zip(read), pair =>
        {
            Assert.Equal(pair.First.Shape, pair.Second.Shape);
            Assert.Equal(pair.First.Data.ToArray(), pair.Second.Data.ToArray());
        });
    }

    // Written out by hand from TorchSharp's source (Module.save, TensorExtensionMethods.Save, LEB128Codec): the count; then name,
    // libtorch's number of the type, number of sizes, sizes, elements.
    [Fact]
    public void TorchSharp_has_these_bytes()
    {
        byte[] file =
        [
            2,
            6, .. "weight"u8, 6, 2, 2, 1, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-1f),
            3, .. "big"u8, 0, 1, 0xc8, 0x01, .. new byte[200],
        ];
        StoredTensor[] tensors =
        [
            new("weight", DType.Float32, [2, 1], BitConverter.GetBytes(1.5f).Concat(BitConverter.GetBytes(-1f)).ToArray()),
            new("big", DType.UInt8, [200], new byte[200]),
        ];
        TorchSharpFile.Write(folder["w.dat"], tensors);
        Assert.Equal(file, File.ReadAllBytes(folder["w.dat"]));
        AssertSame(tensors, TorchSharpFile.Read(folder["w.dat"]));
        Assert.Equal("TorchSharp", WeightsFile.Describe(folder["w.dat"]).Kind);
    }

    [Fact]
    public void What_is_written_for_TorchSharp_reads_as_it_was()
    {
        TorchSharpFile.Write(folder["w.dat"], every);
        AssertSame(every, WeightsFile.Read(folder["w.dat"]));
        using var network = Networks.Create("resnet8", 10, seed: 1);
        TorchSharpFile.Write(folder["net.dat"], network.StoredState());
        using var loaded = Networks.Create("resnet8", 10, seed: 2).LoadWeights(folder["net.dat"], out var report);
        Assert.Empty(report.Lines);
        AssertSame(network.StoredState(), loaded.StoredState());
    }

    [Fact]
    public void A_state_file_cut_anywhere_is_a_user_error()
    {
        TorchSharpFile.Write(folder["w.dat"], every[..3]);
        var whole = File.ReadAllBytes(folder["w.dat"]);
        for (var length = 0; length < whole.Length; length++)
            Assert.Throws<UserException>(() => WeightsFile.Read(new MemoryStream(whole, 0, length), "cut.dat"));
    }

    [Fact]
    public void Numbers_of_one_byte_are_widened_exactly()
    {
        float[] Widen(Float8 kind, params byte[] bytes) =>
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(kind.Widen(bytes).AsSpan()).ToArray();

        // From the tables of the format: zero, least subnormal, one, greatest, NaN.
        Assert.Equal([0, 0.001953125f, 1, 448, -448, float.NaN], Widen(Float8.E4M3, 0x00, 0x01, 0x38, 0x7e, 0xfe, 0x7f));
        Assert.Equal([0, 1.52587890625e-05f, 1, 57344, float.PositiveInfinity, -1], Widen(Float8.E5M2, 0x00, 0x01, 0x3c, 0x7b, 0x7c, 0xbc));
    }

    static byte[] Npy(string header, int bytes) =>
        [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. Encoding.Latin1.GetBytes(header),
            .. Enumerable.Range(0, bytes).Select(i => (byte)i)];

    static byte[] Zip(params (string Name, byte[] Content)[] files)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in files)
                using (var entry = zip.CreateEntry(name).Open()) entry.Write(content);
        return stream.ToArray();
    }

    const string Shape23 = "'shape': (2, 3), }\n";

    [Theory]
    [InlineData("{'descr': '|u1', 'fortran_order': False, " + Shape23, new byte[] { 0, 1, 2, 3, 4, 5 })]
    [InlineData("{'descr': '|u1', 'fortran_order': True, " + Shape23, new byte[] { 0, 2, 4, 1, 3, 5 })]
    [InlineData("{'descr': '>i2', 'fortran_order': False, " + Shape23, new byte[] { 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10 })]
    public void Arrays_come_row_major_and_lowest_byte_first(string header, byte[] expected)
    {
        var read = Assert.Single(WeightsFile.Read(new MemoryStream(Zip(("a.npy", Npy(header, expected.Length)))), "w.npz"));
        Assert.Equal("a", read.Name);
        Assert.Equal([2L, 3L], read.Shape);
        Assert.Equal(expected, read.Data.ToArray());
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, " + Shape23, 23, "says shape [2, 3] of Float32, but holds 23 bytes")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }", 1, "has an impossible shape")]
    [InlineData("{'descr': '|O', 'fortran_order': False, " + Shape23, 6, "nothing in it is a tensor under a name")]
    public void An_array_that_is_none_is_said(string header, int bytes, string said) => Assert.Contains(
        said, Assert.Throws<UserException>(() => WeightsFile.Read(new MemoryStream(Zip(("a.npy", Npy(header, bytes)))), "w.npz")).Message);

    [Fact]
    public void An_archive_of_something_else_says_what_it_holds() => Assert.Contains(
        "it holds 'best.pth': unpack it",
            Assert.Throws<UserException>(() => WeightsFile.Read(new MemoryStream(Zip(("best.pth", [1]))), "w.zip")).Message);

    byte[] Valid(string kind)
    {
        if (kind is not ("TorchSharp" or "npz")) return Fixture.Bytes(kind);
        if (kind == "npz")
            return Zip(
                ("a.npy", Npy("{'descr': '>i2', 'fortran_order': True, " + Shape23, 12)),
                ("b.npy", Npy("{'descr': '|u1', 'fortran_order': False, " + Shape23, 6)));
        TorchSharpFile.Write(folder["w.dat"], every);
        return File.ReadAllBytes(folder["w.dat"]);
    }

    [Theory]
    [InlineData("TorchSharp")]
    [InlineData("npz")]
    [InlineData("whole-model.pth")]
    [InlineData("plain-4.pickle")]
    public void Damaged_files_never_do_worse_than_a_user_error(string kind)
    {
        var accepted = Fuzz.Run([Valid(kind)], file => WeightsFile.Read(new MemoryStream(file), "w"));
        Assert.InRange(accepted, 0, Fuzz.Cases - 1);
    }

    /// <summary>The checksums of an archive hide most damage to the arrays in it; here each is packed again after the damage.</summary>
    [Fact]
    public void Damaged_arrays_in_a_sound_archive_never_do_worse_than_a_user_error()
    {
        byte[][] valid =
        [
            Npy("{'descr': '>i2', 'fortran_order': True, " + Shape23, 12), Npy("{'descr': '<f4', 'fortran_order': False, " + Shape23, 24),
        ];
        Fuzz.Run(valid, array => WeightsFile.Read(new MemoryStream(Zip(("a.npy", array))), "w"), bytesPerByte: 100);
    }

    [Fact]
    public void Damaged_indices_of_shards_never_do_worse_than_a_user_error()
    {
        SafeTensorsFile.Write(folder["part-1.safetensors"], every[..1]);
        SafeTensorsFile.Write(folder["part-2.safetensors"], every[1..2]);
        const string index = """
            {"metadata": {"total_size": 16},
             "weight_map": {"conv.weight": "part-1.safetensors", "bn.num_batches_tracked": "part-2.safetensors"}}
            """;
        Fuzz.Run([Encoding.UTF8.GetBytes(index)], file =>
        {
            File.WriteAllBytes(folder["w.safetensors.index.json"], file);
            WeightsFile.Read(folder["w.safetensors.index.json"]);
        }, bytesPerByte: 1000);
    }

    /// <summary>Objects of many kinds in one pickle, without the checksum of an archive before them.</summary>
    [Fact]
    public void Damaged_pickles_of_inert_objects_never_do_worse_than_a_user_error()
    {
        static byte[] Pickle(string objects) => Encoding.Latin1.GetBytes("\u0080\u0002" + objects);

        byte[][] valid =
        [
            Pickle("}(X\u0001\u0000\u0000\u0000acmy\nList\n)\u0081(K\u0001K\u0002eX\u0001\u0000\u0000\u0000c"
                + "(cos\nsystem\nX\u0002\u0000\u0000\u0000ido}X\u0001\u0000\u0000\u0000xK\u0001sbu."),
            Pickle("ctorch.nn\nNet\n)\u0081}(X\u000b\u0000\u0000\u0000_parameters"
                + "ccollections\nOrderedDict\n)RX\u0008\u0000\u0000\u0000_modules}X\u0001\u0000\u0000\u0000mcmy\nM\n)\u0081}bsub."),
        ];
        Fuzz.Run(valid, file =>
        {
            var content = DistillSharp.Formats.Pickle.PickleReader.Read(file, "w", TorchGlobals.List);
            GC.KeepAlive(CheckpointContent.Of(content, null, new("w", file.Length), "w"));
        });
        Assert.False(File.Exists("id"));
    }
}
