using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.SafeTensors;

/// <summary>
/// One tensor as a safetensors header describes it; its bytes stand from Start to before End after the header. TypeName is the file's word
/// for the element type, Type the same type here where there is one, Small how elements of one byte are widened to float32.
/// </summary>
internal sealed record SafeTensorsEntry(
    string Name, string TypeName, DType? Type, Float8? Small, IReadOnlyList<long> Shape, long Start, long End);

/// <summary>
/// The JSON header of a safetensors file, checked: sizes that agree, no overlap and no gap. Types that are not read here and
/// bytes behind the last tensor do not hinder reading the others.
/// </summary>
internal sealed class SafeTensorsHeader
{
    /// <summary>The limit that the format's own library sets.</summary>
    const long Longest = 100_000_000;

    const string MetadataName = "__metadata__";

    /// <summary>Rough bytes that an entry takes with what is made of it, its name and elements aside.</summary>
    const int EntrySize = 400;

    static readonly (string Name, DType Type)[] types =
    [
        ("BOOL", DType.Bool), ("U8", DType.UInt8), ("I8", DType.Int8), ("I16", DType.Int16), ("I32", DType.Int32), ("I64", DType.Int64),
        ("F16", DType.Float16), ("BF16", DType.BFloat16), ("F32", DType.Float32), ("F64", DType.Float64),
    ];

    static readonly (string Name, Float8 Small)[] smallTypes = [("F8_E4M3", Float8.E4M3), ("F8_E5M2", Float8.E5M2)];

    readonly OrderedDictionary<string, SafeTensorsEntry> tensors = [];
    readonly OrderedDictionary<string, string> metadata = [];
    readonly string file;
    bool hasMetadata;

    SafeTensorsHeader(string file, AllocationBudget budget) => (this.file, Budget) = (file, budget);

    /// <summary>What reading the file may allocate, elements included.</summary>
    public AllocationBudget Budget { get; }

    public IReadOnlyList<SafeTensorsEntry> Tensors => tensors.Values;

    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>Indices of <see cref="Tensors"/> in the order of their bytes.</summary>
    public int[] InFileOrder { get; private set; } = [];

    /// <summary>Where the elements start in the file.</summary>
    public long DataStart { get; private set; }

    /// <summary>Bytes behind the last tensor, which belong to none.</summary>
    public long Tail { get; private set; }

    /// <summary>Reads the length and the header from the stream's start; it then stands at the first tensor's bytes.</summary>
    public static SafeTensorsHeader Read(Stream stream, string file)
    {
        var header = new SafeTensorsHeader(file, new(file, stream.Length));
        stream.Position = 0;
        if (stream.Length < SafeTensorsFile.PrefixSize) throw header.Fail($"it has {stream.Length} bytes, too few for a safetensors file");
        Span<byte> prefix = stackalloc byte[SafeTensorsFile.PrefixSize];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        var rest = stream.Length - SafeTensorsFile.PrefixSize;
        if (length > (ulong)rest)
            throw header.Fail(
                $"its header should have {length} bytes, but only {rest} follow; the file is cut short or no safetensors file");
        if (length > Longest) throw header.Fail($"its header of {length} bytes is longer than the format allows ({Longest})");
        header.Budget.Charge((long)length);
        var json = GC.AllocateUninitializedArray<byte>((int)length);
        stream.ReadExactly(json);
        header.DataStart = SafeTensorsFile.PrefixSize + json.Length;
        header.Parse(json);
        header.CheckPlaces(rest - json.Length);
        return header;
    }

    void Parse(ReadOnlySpan<byte> json)
    {
        if (!json.StartsWith("{"u8)) throw Fail("its header does not begin with '{'; it is no safetensors file");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = Text(ref reader);
                reader.Read();
                if (name == MetadataName) ParseMetadata(ref reader);
                else if (!tensors.TryAdd(name, ParseTensor(name, ref reader))) throw Fail($"its header names '{ShownText.Of(name)}' twice");
            }
            // A second value after the header's object, or an end inside it, is an error that the reader raises here.
            reader.Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Fail($"its header is no valid JSON near byte {SafeTensorsFile.PrefixSize + reader.TokenStartIndex}");
        }
    }

    void ParseMetadata(ref Utf8JsonReader reader)
    {
        if (hasMetadata) throw Fail($"its header has {MetadataName} twice");
        hasMetadata = true;
        if (reader.TokenType != JsonTokenType.StartObject) throw Fail($"its {MetadataName} is no map of texts");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = Text(ref reader);
            if (!reader.Read() || reader.TokenType != JsonTokenType.String)
                throw Fail($"its {MetadataName} has '{ShownText.Of(key)}', whose value is no text");
            if (!metadata.TryAdd(key, Text(ref reader))) throw Fail($"its {MetadataName} has '{ShownText.Of(key)}' twice");
        }
    }

    SafeTensorsEntry ParseTensor(string name, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Wrong(name, "is not described by an object");
        Budget.Charge(EntrySize);
        string? type = null;
        long[]? shape = null, place = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("dtype") && type is null) type = ParseType(ref reader);
            else if (reader.ValueTextEquals("shape") && shape is null) shape = ParseIntegers(name, ref reader);
            else if (reader.ValueTextEquals("data_offsets") && place is null) place = ParseIntegers(name, ref reader);
            else throw Wrong(name, $"has a key that is unknown or stands twice, '{ShownText.Of(Text(ref reader))}'");
        }
        if (type is null || shape is null || place is null) throw Wrong(name, "lacks its dtype, shape or data_offsets");
        if (place is not [var start, var end] || start > end)
            throw Wrong(name, $"has data_offsets [{string.Join(", ", place)}], where a start and an end are needed");
        DType? known = types.FirstOrDefault(entry => entry.Name == type) is { Name: not null } found ? found.Type : null;
        var small = smallTypes.FirstOrDefault(entry => entry.Name == type).Small;
        if ((known ?? (small is null ? null : DType.UInt8)) is { } counted && TensorShape.Bytes(shape, counted) != end - start)
            throw Wrong(name, $"has {end - start} bytes, which is not what its shape [{string.Join(", ", shape)}] of {ShownText.Of(type)} "
                + "needs");
        return new SafeTensorsEntry(name, type, known, small, shape, start, end);
    }

    /// <summary>Refuses a tensor whose type is not read, or that is too large.</summary>
    public void CheckReadable(SafeTensorsEntry tensor)
    {
        if (tensor.Type is null && tensor.Small is null)
            throw Wrong(tensor.Name,
                $"has elements of type {ShownText.Of(tensor.TypeName)}; "
                    + $"known are {string.Join(", ", types.Select(known => known.Name).Concat(smallTypes.Select(known => known.Name)))}");
        if (tensor.End - tensor.Start > Array.MaxLength) throw Wrong(tensor.Name, "is larger than 2 GiB, which is not supported");
    }

    string ParseType(ref Utf8JsonReader reader)
    {
        reader.Read();
        foreach (var known in types)
            if (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(known.Name)) return known.Name;
        return Text(ref reader);
    }

    long[] ParseIntegers(string name, ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray) throw Wrong(name, "has a shape or data_offsets that is no list");
        Span<long> integers = stackalloc long[TensorShape.MaxDimensions];
        var count = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            if (!reader.TryGetInt64(out var integer) || integer < 0) throw Wrong(name, "has a number that is no size");
            if (count == integers.Length) throw Wrong(name, $"has more than {TensorShape.MaxDimensions} dimensions");
            integers[count++] = integer;
        }
        return reader.TokenType == JsonTokenType.EndArray
            ? integers[..count].ToArray() : throw Wrong(name, "has a shape or data_offsets with something other than numbers");
    }

    string Text(ref Utf8JsonReader reader)
    {
        Budget.Charge(32 + 2L * reader.ValueSpan.Length);
        return reader.GetString() ?? "";
    }

    /// <summary>Every byte up to the last tensor's end belongs to one tensor and to one only.</summary>
    void CheckPlaces(long length)
    {
        InFileOrder = [.. Enumerable.Range(0, tensors.Count).OrderBy(index => Tensors[index].Start).ThenBy(index => Tensors[index].End)];
        var end = 0L;
        foreach (var index in InFileOrder)
        {
            var tensor = Tensors[index];
            if (tensor.Start != end)
                throw Wrong(tensor.Name, tensor.Start < end ? "overlaps another" : $"follows a gap of {tensor.Start - end} bytes");
            end = tensor.End;
        }
        if (end > length) throw Fail($"its tensors need {end} bytes, but only {length} follow the header; the file is cut short");
        Tail = length - end;
    }

    UserException Fail(string what) => new($"{file}: {what}.");

    UserException Wrong(string tensor, string what) => Fail($"its tensor '{ShownText.Of(tensor)}' {what}");

    /// <summary>The header as bytes, padded with spaces so that the elements start at a multiple of 8.</summary>
    public static ReadOnlyMemory<byte> Encode(
        IReadOnlyList<StoredTensor> tensors, StoredTensor[] inFileOrder, IEnumerable<KeyValuePair<string, string>> metadata)
    {
        StoredTensors.CheckWritable(tensors, MetadataName);
        var (starts, end) = (new Dictionary<string, long>(), 0L);
        foreach (var tensor in inFileOrder) (starts[tensor.Name], end) = (end, end + tensor.Data.Length);
        var header = new JsonObject();
        var texts = metadata.Select(text => KeyValuePair.Create(text.Key, (JsonNode?)text.Value)).ToArray();
        if (texts.Length > 0) header.Add(MetadataName, new JsonObject(texts));
        foreach (var tensor in tensors)
            header.Add(tensor.Name, new JsonObject
            {
                ["dtype"] = types.First(known => known.Type == tensor.Type).Name,
                ["shape"] = new JsonArray([.. tensor.Shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(starts[tensor.Name], starts[tensor.Name] + tensor.Data.Length),
            });
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            header.WriteTo(writer);
        while (json.WrittenCount % 8 != 0) json.Write(" "u8);
        return json.WrittenMemory;
    }
}
