using System.Buffers.Binary;
using System.Numerics;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// PyTorch's form before 1.6: pickles of a magic number, a protocol version, facts on the machine, the objects, and the
/// storages' keys; then each storage as a 64-bit count and its elements.
/// </summary>
internal sealed class TorchLegacy(Stream stream, string file)
{
    const int Protocol = 1001;

    readonly AllocationBudget budget = new(file, stream.Length);
    readonly Dictionary<string, TorchElementType> types = [];
    readonly Dictionary<string, (long Start, long Length)> places = [];

    public static BigInteger Magic { get; } = BigInteger.Parse("119547037146038801333356");

    /// <summary>What the file holds; the stream must stay open for as long as tensors are read.</summary>
    public static CheckpointContent Read(Stream stream, string file) => new TorchLegacy(stream, file).Read();

    CheckpointContent Read()
    {
        var start = stream.Position;
        var input = new PickleInput(stream, stream.Length - start, file, budget);
        var reader = new PickleReader(input, TorchGlobals.List, budget, Remember);

        if (reader.Read() is not BigInteger magic || magic != Magic)
            throw new UserException($"{file}: does not begin with PyTorch's magic number.");
        if (reader.Read() is not long version || version != Protocol)
            throw new UserException($"{file}: has a PyTorch file version other than {Protocol}.");
        var bigEndian = reader.Read() is PickleDict machine && machine.TryGet<object>("little_endian", out var little) && little is false;
        var objects = reader.Read();
        var keys = reader.Read() as IReadOnlyList<object?>
            ?? throw new UserException($"{file}: is damaged: the list of its storages is missing.");
        Place(keys, start + input.Position);
        return CheckpointContent.Of(objects, new TorchStorages(file, budget, bigEndian, Load), budget, file);
    }

    object Remember(PickleArguments id)
    {
        var referred = TorchGlobals.Storage(id);
        if (referred is not TorchStorage storage) return referred;
        id.Charge(64);
        types[storage.Key] = storage.Type;
        return storage;
    }

    /// <summary>Finds where each storage's elements lie; each is preceded by its count.</summary>
    void Place(IReadOnlyList<object?> keys, long position)
    {
        Span<byte> prefix = stackalloc byte[sizeof(long)];
        foreach (var item in keys)
        {
            if (!PickleValues.TryText(item, out var key) || !types.TryGetValue(key, out var type))
                throw new UserException($"{file}: is damaged: it lists a storage that no tensor names.");
            var left = stream.Length - position - prefix.Length;
            if (left < 0) throw CutShort(key);
            stream.Position = position;
            stream.ReadExactly(prefix);
            var count = BinaryPrimitives.ReadInt64LittleEndian(prefix);
            if (count < 0 || count > left / type.Size) throw CutShort(key);
            places[key] = (position + prefix.Length, count * type.Size);
            position += prefix.Length + count * type.Size;
        }
    }

    ReadOnlyMemory<byte> Load(TorchStorage storage)
    {
        if (!places.TryGetValue(storage.Key, out var place)) throw CutShort(storage.Key);
        if (place.Length > Array.MaxLength)
            throw new UserException($"{file}: its storage '{ShownText.Of(storage.Key)}' is larger than 2 GiB, which is not supported.");
        budget.Charge(place.Length);
        var bytes = GC.AllocateUninitializedArray<byte>((int)place.Length);
        stream.Position = place.Start;
        stream.ReadExactly(bytes);
        return bytes;
    }

    UserException CutShort(string key) =>
        new($"{file}: is cut short or damaged: the elements of storage '{ShownText.Of(key)}' are missing.");
}
