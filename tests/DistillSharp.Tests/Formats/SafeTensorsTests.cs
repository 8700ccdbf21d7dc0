using System.Buffers.Binary;
using System.Text;
using DistillSharp.Formats.SafeTensors;
using DistillSharp.Formats.Tensors;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Formats;

public class SafeTensorsTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    static StoredTensor Tensor(string name, DType type, params long[] shape)
    {
        var bytes = new byte[shape.Aggregate(1L, (product, size) => product * size) * type.Size()];
        new Random(name.Length).NextBytes(bytes);
        return new StoredTensor(name, type, shape, bytes);
    }

    static void Same(StoredTensor expected, StoredTensor actual)
    {
        Assert.Equal((expected.Name, expected.Type), (actual.Name, actual.Type));
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Data.ToArray(), actual.Data.ToArray());
    }

    static byte[] Raw(string header, int data = 0)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        return file;
    }

    static SafeTensorsContent Read(byte[] file) => SafeTensorsFile.Read(new MemoryStream(file), "w.safetensors");

    static string Refusal(byte[] file) => Assert.Throws<UserException>(() => Read(file)).Message;

    static readonly StoredTensor[] every =
    [
        Tensor("flags", DType.Bool, 3), Tensor("a.half", DType.Float16, 5), Tensor("weights", DType.Float32, 2, 3, 1, 1),
            Tensor("count", DType.Int64),
        Tensor("empty", DType.Float32, 4, 0), Tensor("brain", DType.BFloat16, 3), Tensor("u8", DType.UInt8, 7), Tensor("i8", DType.Int8, 1),
        Tensor("i16", DType.Int16, 1), Tensor("i32", DType.Int32, 1, 1), Tensor("f64", DType.Float64, 2),
            Tensor("Zürich \"x\"", DType.Float32, 1),
    ];

    [Fact]
    public void What_is_written_is_read_in_the_same_order()
    {
        KeyValuePair<string, string>[] metadata = [new("kind", "run"), new("b", "2"), new("a", "{\"lr\": 0.1}")];
        SafeTensorsFile.Write(folder["w.safetensors"], every, metadata);
        var content = SafeTensorsFile.Read(folder["w.safetensors"]);
        Assert.Equal(every.Length, content.Tensors.Count);
        Assert.All(every.Zip(content.Tensors), pair => Same(pair.First, pair.Second));
        Assert.Equal(metadata, content.Metadata);
    }

    [Fact]
    public void Every_tensor_starts_at_a_multiple_of_its_element_size()
    {
        SafeTensorsFile.Write(folder["w.safetensors"], every);
        using var file = File.OpenRead(folder["w.safetensors"]);
        var header = SafeTensorsHeader.Read(file, "w");
        Assert.All(header.Tensors, tensor => Assert.Equal(0, (file.Position + tensor.Start) % tensor.Type!.Value.Size()));
        Assert.Equal(0, file.Position % 8);
    }

    [Fact]
    public void An_empty_file_of_tensors_is_valid()
    {
        SafeTensorsFile.Write(folder["w.safetensors"], []);
        Assert.Empty(SafeTensorsFile.Read(folder["w.safetensors"]).Tensors);
    }

    [Fact]
    public void A_mistake_of_the_caller_is_refused_before_anything_is_written()
    {
        Assert.Throws<ArgumentException>(
            () => SafeTensorsFile.Write(folder["w"], [Tensor("a", DType.Float32, 2), Tensor("a", DType.Float32, 2)]));
        Assert.Throws<ArgumentException>(() => SafeTensorsFile.Write(folder["w"], [Tensor("__metadata__", DType.Float32, 2)]));
        Assert.Throws<ArgumentException>(() => SafeTensorsFile.Write(folder["w"], [Tensor("a", DType.Float32, 2) with { Shape = [3] }]));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [SharedFact]
    public void The_reference_cases_read()
    {
        var files = Directory.GetFiles(SharedFiles.Path("reference"), "*.safetensors", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, path =>
        {
            var content = SafeTensorsFile.Read(path);
            Assert.NotEmpty(content.Tensors);
            Assert.Contains(content.Metadata["kind"], new[] { "model", "method", "trajectory" });
            Assert.All(content.Tensors, tensor => Assert.Equal(tensor.Count * tensor.Type.Size(), tensor.Data.Length));
        });
    }

    [SharedFact]
    public void A_reference_case_has_the_value_that_Python_reads()
    {
        var loss =
            SafeTensorsFile.Read(SharedFiles.Path("reference/methods/kd-T1.safetensors")).Tensors.Single(tensor => tensor.Name == "loss");
        Assert.Equal(DType.Float32, loss.Type);
        Assert.Equal(5.49772882f, BitConverter.ToSingle(loss.Data.Span));
    }

    const string One = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Theory]
    [InlineData(One, 8, null)]
    [InlineData("{}", 0, null)]
    [InlineData("""{"__metadata__":{"k":"v"}}    """, 0, null)]
    [InlineData(
        """{"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        12, null)]
    [InlineData(One, 4, "cut short")]
    [InlineData(One, 9, null)]
    [InlineData("[1]", 0, "does not begin with '{'")]
    [InlineData(" {}", 0, "does not begin with '{'")]
    [InlineData("{", 0, "no valid JSON")]
    [InlineData("{} {}", 0, "no valid JSON")]
    [InlineData("{}\0", 0, "no valid JSON")]
    [InlineData("""{"a":1}""", 0, "not described by an object")]
    [InlineData("""{"a":{}}""", 0, "lacks its dtype, shape or data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "lacks its dtype, shape or data_offsets")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}""", 2, null)]
    [InlineData(
        """{"a":{"dtype":"F8_E5M2","shape":[2],"data_offsets":[0,3]}}""",
        3, "3 bytes, which is not what its shape [2] of F8_E5M2 needs")]
    [InlineData("""{"a":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}}""", 16, "type C64")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "8 bytes, which is not what its shape [3] of F32 needs")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "no size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "no size")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", 8, "no size")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}""",
        8, "which is not what its shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", 8, "other than numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "no list")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "a start and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", 8, "a start and an end")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "'dtype'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}""", 8, "'more'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "gap of 4 bytes")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
        8, "'b' overlaps")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
        8, "'a' twice")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "no text")]
    [InlineData("""{"__metadata__":[]}""", 0, "no map")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "'k' twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "__metadata__ twice")]
    [InlineData("""{"\ud800":{}}""", 0, "no valid JSON")]
    public void A_header_is_accepted_or_refused_with_its_reason(string header, int data, string? said)
    {
        if (said is null) Read(Raw(header, data));
        else Assert.Contains(said, Refusal(Raw(header, data)));
    }

    [Fact]
    public void An_absurd_header_length_is_refused_before_it_is_allocated()
    {
        Assert.Contains("too few", Refusal([1, 2, 3]));
        byte[] file = [.. BitConverter.GetBytes(ulong.MaxValue), .. "{}"u8];
        Assert.Contains("its header should have 18446744073709551615 bytes, but only 2 follow", Refusal(file));
        BinaryPrimitives.WriteInt64LittleEndian(file, 50_000_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("w.safetensors: its header should have 50000000000 bytes", Refusal(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Too_many_dimensions_are_refused()
    {
        var sizes = string.Join(',', Enumerable.Repeat(0, 65));
        Assert.Contains("more than 64 dimensions",
            Refusal(Raw("""{"a":{"dtype":"F32","shape":[SIZES],"data_offsets":[0,0]}}""".Replace("SIZES", sizes))));
    }

    [Fact]
    public void What_cannot_be_read_is_said()
    {
        Assert.Equal(
            $"cannot read {folder["no.safetensors"]}: the file does not exist",
            Assert.Throws<UserException>(() => SafeTensorsFile.Read(folder["no.safetensors"])).Message);
        Assert.Equal(
            $"cannot read {folder.Path}: it is a folder, a file is needed",
            Assert.Throws<UserException>(() => SafeTensorsFile.Read(folder.Path)).Message);
    }

    [Fact]
    public void Damaged_files_never_do_worse_than_a_user_error()
    {
        SafeTensorsFile.Write(folder["a"], every, [new("kind", "run")]);
        SafeTensorsFile.Write(folder["b"], every[..3]);
        byte[][] valid = [File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["b"]), Raw(One, 8)];
        var accepted = Fuzz.Run(valid, file => Read(file));
        Assert.InRange(accepted, 1, Fuzz.Cases - 1);
    }

    [Fact]
    public void A_large_header_of_nothing_stays_within_its_memory()
    {
        var entries = string.Join(',', Enumerable.Range(0, 40_000).Select(i => $$$"""
            "{{{i}}}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}
            """));
        var file = Raw($"{{{entries}}}");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(40_000, Read(file).Tensors.Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10L * file.Length + (1 << 20));
    }
}
