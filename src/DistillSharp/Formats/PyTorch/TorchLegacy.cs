using System.Buffers.Binary;
using System.Numerics;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// PyTorch's form before 1.6: pickles of a magic number, a protocol version, facts on the machine, the objects, and the
/// storages' keys; then each storage as a 64-bit count and its elements.
/// </summary>
internal static class TorchLegacy
{
    const int Protocol = 1001;

    public static BigInteger Magic { get; } = BigInteger.Parse("119547037146038801333356");

    /// <summary>What the file holds; the stream must stay open for as long as tensors are read.</summary>
    public static CheckpointContent Read(Stream stream, string file)
    {
        var budget = new AllocationBudget(file, stream.Length);
        var start = stream.Position;
        var input = new PickleInput(stream, stream.Length - start, file, budget);
        var types = new Dictionary<string, TorchElementType>();
        var reader = new PickleReader(input, TorchGlobals.List, budget, id => Remember(id, types));

        if (reader.Read() is not BigInteger magic || magic != Magic)
            throw new UserException($"{file}: does not begin with PyTorch's magic number.");
        if (reader.Read() is not long version || version != Protocol)
            throw new UserException($"{file}: has a PyTorch file version other than {Protocol}.");
        var bigEndian = reader.Read() is PickleDict machine && machine.TryGet<object>("little_endian", out var little) && little is false;
        var objects = reader.Read();
        if (!PickleValues.TryItems(reader.Read(), out var keys))
            throw new UserException($"{file}: is damaged: the list of its storages is missing.");

        var places = Places(stream, start + input.Position, keys, types, file);
        var storages = new TorchStorages(file, budget, bigEndian, storage => Load(stream, storage, places, budget, file));
        return CheckpointContent.Of(objects, storages, budget, file);
    }

    static object Remember(PickleArguments id, Dictionary<string, TorchElementType> types)
    {
        var referred = TorchGlobals.Storage(id);
        if (referred is not TorchStorage storage) return referred;
        id.Charge(64);
        types[storage.Key] = storage.Type;
        return storage;
    }

    /// <summary>Where each storage's elements lie, by its key; each is preceded by its count.</summary>
    static Dictionary<string,
        (long Start, long Length)> Places(
            Stream stream, long position, IReadOnlyList<object?> keys, Dictionary<string, TorchElementType> types, string file)
    {
        var places = new Dictionary<string, (long, long)>();
        Span<byte> prefix = stackalloc byte[sizeof(long)];
        foreach (var item in keys)
        {
            if (!PickleValues.TryText(item, out var key) || !types.TryGetValue(key, out var type))
                throw new UserException($"{file}: is damaged: it lists a storage that no tensor names.");
            var left = stream.Length - position - prefix.Length;
            if (left < 0) throw CutShort(file, key);
            stream.Position = position;
            stream.ReadExactly(prefix);
            var count = BinaryPrimitives.ReadInt64LittleEndian(prefix);
            if (count < 0 || count > left / type.Size) throw CutShort(file, key);
            places[key] = (position + prefix.Length, count * type.Size);
            position += prefix.Length + count * type.Size;
        }
        return places;
    }

    static ReadOnlyMemory<byte> Load(
        Stream stream, TorchStorage storage, Dictionary<string, (long Start, long Length)> places, AllocationBudget budget, string file)
    {
        if (!places.TryGetValue(storage.Key, out var place)) throw CutShort(file, storage.Key);
        if (place.Length > Array.MaxLength)
            throw new UserException($"{file}: its storage '{ShownText.Of(storage.Key)}' is larger than 2 GiB, which is not supported.");
        budget.Charge(place.Length);
        var bytes = GC.AllocateUninitializedArray<byte>((int)place.Length);
        stream.Position = place.Start;
        stream.ReadExactly(bytes);
        return bytes;
    }

    static UserException CutShort(string file, string key) =>
        new($"{file}: is cut short or damaged: the elements of storage '{ShownText.Of(key)}' are missing.");
}
