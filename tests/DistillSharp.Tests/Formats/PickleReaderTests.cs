using System.Numerics;
using System.Text;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;
using DistillSharp.Torch;

namespace DistillSharp.Tests.Formats;

public class PickleReaderTests
{
    static object? Read(byte[] pickle) => PickleReader.Read(pickle, "some.pickle", NumpyGlobals.WithPython);

    static object? ReadStream(byte[] pickle)
    {
        var budget = new AllocationBudget("some.pickle", pickle.Length);
        var input = new PickleInput(new MemoryStream(pickle), pickle.Length, "some.pickle", budget);
        return new PickleReader(input, NumpyGlobals.WithPython, budget).Read();
    }

    static object? Read(string pickle) => Read(Encoding.Latin1.GetBytes(pickle));

    static string Refusal(string pickle) => Assert.Throws<UserException>(() => Read(pickle)).Message;

    static T Value<T>(PickleDict dict, object? key)
    {
        Assert.True(dict.TryGet(key, out var value), $"no {key}");
        return Assert.IsType<T>(value);
    }

    public static TheoryData<int, bool> ProtocolsAndSources()
    {
        var data = new TheoryData<int, bool>();
        for (var protocol = 0; protocol <= 5; protocol++)
        {
            data.Add(protocol, false);
            data.Add(protocol, true);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(ProtocolsAndSources))]
    public void Every_protocol_of_Python_gives_the_same_values(int protocol, bool fromStream)
    {
        var pickle = Fixture.Bytes($"plain-{protocol}.pickle");
        var dict = Assert.IsType<PickleDict>(fromStream ? ReadStream(pickle) : Read(pickle));
        Assert.True(dict.TryGet("none", out var none) && none is null);
        Assert.True(Value<bool>(dict, "true"));
        Assert.False(Value<bool>(dict, "false"));
        Assert.Equal(
            [0L, 1L, 255L, 256L, 65535L, 65536L, -1L, (long)int.MaxValue, (long)int.MinValue, long.MaxValue, long.MinValue,
                BigInteger.Pow(2, 80), -BigInteger.Pow(2, 80)],
            Value<List<object?>>(dict, "integers"));
        Assert.Equal([0.0, 1.5, -2.25e-300, double.PositiveInfinity, double.NegativeInfinity], Value<List<object?>>(dict, "floats"));
        Assert.Equal("Zürich \U0001F600 \\ line\nfeed", Value<string>(dict, "text"));
        Assert.Equal(Enumerable.Range(0, 256).Select(i => (byte)i), Value<PickledBytes>(dict, "bytes").Memory.ToArray());
        Assert.Equal("abc", Value<PickledBytes>(dict, "bytearray").Text);
        Assert.Equal([0, 1, 2, 3, 4], Value<List<object?>>(dict, "tuples").Select(tuple => Assert.IsType<object?[]>(tuple).Length));
        Assert.Equal([7L], Value<List<object?>>(dict, "set"));
        Assert.Equal([8L], Value<List<object?>>(dict, "frozenset"));
        Assert.Equal([1.0, 2.0], Value<object?[]>(dict, "complex"));
        Assert.Equal(["b", "a"], Value<PickleDict>(dict, "ordered").TextKeys);
        Assert.Equal(2L, Value<long>(Value<PickleDict>(dict, "counter"), "a"));
        Assert.Equal([1L], Value<List<object?>>(Value<PickleDict>(dict, "default"), "x"));
        Assert.Equal(0.1, Value<double>(Value<PickledInstance>(dict, "namespace").Attributes, "lr"));
        var path = Value<PickledInstance>(dict, "path");
        Assert.Equal("pathlib.PurePosixPath", path.Name);
        Assert.Equal(["a", "b"], path.Arguments);
        Assert.Equal(new string('x', 300), Value<string>(dict, "long"));
        Assert.Equal("integer key", Value<string>(dict, 5L));
        Assert.Equal("none key", Value<string>(dict, null));
        var shared = Value<List<object?>>(dict, "shared");
        Assert.Same(shared[0], shared[1]);
    }

    [Theory]
    [MemberData(nameof(ProtocolsAndSources))]
    public void Numpy_arrays_come_with_shape_type_and_bytes(int protocol, bool fromStream)
    {
        var pickle = Fixture.Bytes($"plain-{protocol}.pickle");
        var dict = Assert.IsType<PickleDict>(fromStream ? ReadStream(pickle) : Read(pickle));
        var matrix = Value<PickledArray>(dict, "matrix");
        Assert.Equal([2, 3], matrix.Shape);
        Assert.Equal(DType.UInt8, matrix.Type?.Element);
        Assert.Equal([0, 1, 2, 3, 4, 5], matrix.Data.ToArray());
        var fortran = Value<PickledArray>(dict, "fortran");
        Assert.True(fortran.ColumnMajor);
        Assert.Equal(DType.Float32, fortran.Type?.Element);
        Assert.Equal(3f, BitConverter.ToSingle(fortran.Data.Span[4..]));
        var big = Value<PickledArray>(dict, "big");
        Assert.True(big.Type!.BigEndian);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], big.Data.ToArray());
        Assert.Equal(2.5, Value<double>(dict, "scalar"));
        Assert.Equal(-7L, Value<long>(dict, "scalar32"));
        Assert.Null(Value<PickledArray>(dict, "objects").Type!.Element);
        Assert.Null(Value<PickledArray>(dict, "structure").Type!.Element);
        Assert.Equal("U2", Value<PickledArray>(dict, "letters").Type!.Code);
    }

    [Fact]
    public void A_CIFAR_batch_of_Python_2_reads_under_text_keys()
    {
        var pickle = Fixture.Bytes("cifar-python2.pickle");
        var batch = Assert.IsType<PickleDict>(Read(pickle));
        Assert.Equal(["filenames", "batch_label", "fine_labels", "coarse_labels", "data"], batch.TextKeys);
        Assert.True(PickleValues.TryIntegers(Value<List<object?>>(batch, "fine_labels"), out var labels));
        Assert.Equal([3, 99], labels);
        Assert.True(PickleValues.TryText(Value<List<object?>>(batch, "filenames")[1], out var name));
        Assert.Equal("dog_s_2.png", name);
        var data = Value<PickledArray>(batch, "data");
        Assert.Equal([2, 12], data.Shape);
        Assert.Equal(Enumerable.Range(0, 24).Select(i => (byte)(i * 7)), data.Data.ToArray());
        Assert.True(data.Data.Span.Overlaps(pickle), "the images were copied");
    }

    [Fact]
    public void Numpy_2_names_its_modules_differently()
    {
        var old = Fixture.Bytes("plain-2.pickle");
        var text = Encoding.Latin1.GetString(old).Replace("numpy.core.multiarray", "numpy._core.multiarray");
        Assert.NotEqual(old.Length, text.Length);
        Assert.Equal([2, 3], Value<PickledArray>(Assert.IsType<PickleDict>(Read(text)), "matrix").Shape);
    }

    [Theory]
    [InlineData("cos\nsystem\n(S'id'\ntR.", "os.system")]
    [InlineData("(S'id'\nios\nsystem\n.", "os.system")]
    [InlineData("(cos\nsystem\nS'id'\no.", "os.system")]
    [InlineData("c__builtin__\neval\n(S'id'\ntR.", "__builtin__.eval")]
    [InlineData("\u0080\u0004\u008c\u0005posix\u008c\u0006system\u0093\u008c\u0002id\u0085R.", "posix.system")]
    [InlineData("\u0080\u0004\u008c\u0005posix\u008c\u0006system\u0093\u008c\u0002id\u0085}\u0092.", "posix.system")]
    public void A_call_of_what_is_not_known_becomes_inert_data(string pickle, string name)
    {
        var instance = Assert.IsType<PickledInstance>(Read(pickle));
        Assert.Equal(name, instance.Name);
        Assert.True(PickleValues.TryText(Assert.Single(instance.Arguments), out var argument));
        Assert.Equal("id", argument);
    }

    [Fact]
    public void What_is_put_into_an_unknown_object_is_kept()
    {
        var instance =
            Assert.IsType<PickledInstance>(
                Read("cmy\nList\n)\u0081K\u0001aX\u0001\u0000\u0000\u0000kK\u0002s}X\u0001\u0000\u0000\u0000aK\u0003sb."));
        Assert.Equal([1L], instance.Items);
        Assert.Equal(2L, Value<long>(instance.Entries, "k"));
        Assert.Equal(3L, Value<long>(instance.Attributes, "a"));
        Assert.Equal("my.Type?[31m", Assert.IsType<PickledInstance>(Read("cmy\nType\u001b[31m\n)R.")).ToString());
    }

    [Fact]
    public void A_known_call_that_does_not_fit_is_an_object_with_the_reason()
    {
        var instance = Assert.IsType<PickledInstance>(Read("cbuiltins\nint\n(S'5'\ntR."));
        Assert.Equal("builtins.int", instance.Name);
        Assert.Contains("argument 1 where an integer is needed", instance.Trouble);
    }

    [Theory]
    [InlineData("(o.", "an object has no class")]
    [InlineData("\u0082\u0001.", "opcode Ext1 (0x82)")]
    [InlineData("\u0097.", "opcode NextBuffer (0x97)")]
    [InlineData("N\u00ff.", "byte 0xff")]
    public void An_opcode_that_is_not_needed_is_refused(string pickle, string name) => Assert.Contains(name, Refusal(pickle));

    [Theory]
    [InlineData("S'id'\n)R.", "calls bytes")]
    [InlineData("K\u0001Q.", "refers to data outside itself")]
    [InlineData("\u0080\u0006N.", "protocol 6")]
    [InlineData("", "ends early")]
    [InlineData("N", "ends early")]
    [InlineData(".", "missing from its stack")]
    [InlineData("(.", "missing from its stack")]
    [InlineData("t.", "mark is missing")]
    [InlineData("N(0.", null)]
    [InlineData("K\u0001K\u0002a.", "no list")]
    [InlineData("N}K\u0001s.", "no dict")]
    [InlineData("}(K\u0001u.", "without a value")]
    [InlineData("h\u0005.", "place 5")]
    [InlineData("Nr\u00ff\u00ff\u00ff\u00ff.", "no place 4294967295")]
    [InlineData("X\u00ff\u00ff\u00ff\u00ffab.", "4294967295 more bytes are needed, 3 are left")]
    [InlineData("T\u00ff\u00ff\u00ff\u00ffab.", "negative length")]
    [InlineData("\u008e\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080.", "longer than any file")]
    [InlineData("X\u0001\u0000\u0000\u0000\u00ff.", "not UTF-8")]
    [InlineData("I1x\n.", "not a number")]
    [InlineData("F1x\n.", "not a number")]
    [InlineData("S'a\n.", "not quoted")]
    [InlineData("Sa\n.", "not quoted")]
    public void A_damaged_pickle_says_what_is_wrong(string pickle, string? said)
    {
        if (said is null) Assert.Null(Read(pickle));
        else Assert.Contains(said, Refusal(pickle));
    }

    [Fact]
    public void Shape_and_bytes_of_an_array_must_agree()
    {
        var text = Encoding.Latin1.GetString(Fixture.Bytes("cifar-python2.pickle"));
        string? Trouble(string shape) =>
            Value<PickledInstance>(Assert.IsType<PickleDict>(Read(text.Replace("K\u0002K\u000c", shape))), "data").Trouble;

        Assert.Contains("shape [3, 12]", Trouble("K\u0003K\u000c"));
        Assert.Contains("argument 2", Trouble("K\u0002N\u0030"));
    }

    [Fact]
    public void The_message_gives_the_place_of_the_opcode()
    {
        Assert.StartsWith("some.pickle, byte 6: refused", Refusal("NNNNN0\u0082\u0001."));
    }

    [Fact]
    public void A_list_may_hold_itself()
    {
        var list = Assert.IsType<List<object?>>(Read("]q\u0000h\u0000a."));
        Assert.Same(list, list[0]);
    }

    /// <summary>Opcodes of one byte or two that make something larger: repeated, they must meet the budget, not the memory's end.</summary>
    [Theory]
    [InlineData("}")]
    [InlineData("]")]
    [InlineData("(")]
    [InlineData("N")]
    [InlineData("2", "N")]
    [InlineData("\u0094", "N")]
    [InlineData("(t")]
    [InlineData("](e")]
    [InlineData(")\u0081", "ccollections\nOrderedDict\nq\u0000")]
    [InlineData("h\u0000)R0", "ccollections\nOrderedDict\nq\u00000")]
    [InlineData("h\u0001h\u0000\u0085R0", "c__builtin__\nlist\nq\u00010](NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNeq\u00000")]
    [InlineData("M\u0000\u0001")]
    [InlineData("cos\nsystem\n")]
    [InlineData("h\u0000)R", "cos\nsystem\nq\u00000")]
    [InlineData("h\u0000)\u0081}b0", "cos\nsystem\nq\u00000")]
    [InlineData("h\u0001h\u0000\u0085R0", "cbuiltins\nint\nq\u00010]q\u00000")]
    [InlineData("U\u0000")]
    [InlineData("K\u0001K\u0001s", "}")]
    [InlineData("h\u0000Ns", "XLONGq\u00000}")]
    [InlineData("h\u0000Ns", "BLONGq\u00000}")]
    [InlineData("h\u0000X\u0006\u0000\u0000\u0000latin1\u0086R0", "XLONGq\u00010c_codecs\nencode\nq\u00000")]
    public void Memory_and_time_stay_bounded_for_hostile_repetition(string repeated, string first = "")
    {
        var longText = new string('a', 100_000);
        first = first.Replace("LONG", Encoding.Latin1.GetString(BitConverter.GetBytes(longText.Length)) + longText);
        var pickle = Encoding.Latin1.GetBytes(first + string.Concat(Enumerable.Repeat(repeated, 4_000_000 / repeated.Length)) + ".");
        var started = Environment.TickCount64;
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            Read(pickle);
        }
        catch (UserException)
        {
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= 11L * pickle.Length + (2 << 20), $"{allocated} bytes for {pickle.Length}");
        Assert.InRange(Environment.TickCount64 - started, 0, 60_000);
    }

    [Fact]
    public void Keys_with_colliding_hashes_take_no_longer()
    {
        // .NET hashes a long as low ^ high: each of these is 0.
        using var pickle = new MemoryStream();
        pickle.Write("}("u8);
        for (var i = 1; i <= 60_000; i++)
        {
            pickle.Write([0x8a, 8]);
            pickle.Write(BitConverter.GetBytes(((long)i << 32) | (uint)i));
            pickle.Write("N"u8);
        }
        pickle.Write("u."u8);
        var started = Environment.TickCount64;
        Assert.Equal(60_000, Assert.IsType<PickleDict>(Read(pickle.ToArray())).Count);
        Assert.InRange(Environment.TickCount64 - started, 0, 30_000);
    }

    [Fact]
    public void Damaged_pickles_never_do_worse_than_a_user_error()
    {
        byte[][] valid =
            [.. Enumerable.Range(0, 6).Select(protocol => Fixture.Bytes($"plain-{protocol}.pickle")),
                Fixture.Bytes("cifar-python2.pickle")];
        var accepted = Fuzz.Run(valid, file => Read(file));
        Assert.InRange(accepted, 1, Fuzz.Cases - 1);
    }

    [Fact]
    public void Damaged_streams_never_do_worse_than_a_user_error()
    {
        byte[][] valid = [Fixture.Bytes("plain-0.pickle"), Fixture.Bytes("plain-5.pickle")];
        Fuzz.Run(valid, file => ReadStream(file));
    }
}
