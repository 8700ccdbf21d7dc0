using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// PyTorch's zip form: below one folder, <c>data.pkl</c> with the objects, <c>data/N</c> with each storage, <c>version</c>,
/// and, from PyTorch 2 on, <c>byteorder</c>.
/// </summary>
internal static class TorchZip
{
    const string Objects = "data.pkl";
    const int Alignment = 64;

    public static bool IsOne(ZipRecords records) => Folder(records) is not null;

    /// <summary>What the archive holds; it must stay open for as long as tensors are read.</summary>
    public static CheckpointContent Read(ZipRecords records, string file, AllocationBudget budget)
    {
        var folder = Folder(records)!;
        if (records.Has(folder + "constants.pkl"))
            throw new UserException($"{file}: is a TorchScript archive, a program rather than weights. Give it as teacher.torchscript, or "
                + "save the weights alone: torch.save(model.state_dict(), path).");
        var pickle = records.Read(folder + Objects);
        var input = new PickleInput(pickle, $"{file}, {Objects}", budget);
        var objects = new PickleReader(input, TorchGlobals.List, budget, TorchGlobals.Storage).Read();
        var storages = new TorchStorages(
            file, budget, IsBigEndian(records, folder, file), storage => records.Read($"{folder}data/{storage.Key}"));
        return CheckpointContent.Of(objects, storages, budget, file);
    }

    /// <summary>The folder in the archive that holds the checkpoint, with its slash: <c>archive/</c> or the file's name.</summary>
    static string? Folder(ZipRecords records) =>
        records.Names.Where(name => name == Objects || name.EndsWith("/" + Objects, StringComparison.Ordinal))
            .MinBy(name => name.Length)?[..^Objects.Length];

    static bool IsBigEndian(ZipRecords records, string folder, string file)
    {
        if (!records.Has(folder + "byteorder")) return false;
        var order = Encoding.Latin1.GetString(records.Read(folder + "byteorder").Span).Trim();
        return order switch
        {
            "little" => false,
            "big" => true,
            _ => throw new UserException($"{file}: its byteorder is '{ShownText.Of(order)}', neither little nor big."),
        };
    }

    public static void Write(Stream stream, ReadOnlyMemory<byte> pickle, IReadOnlyList<StoredTensor> tensors)
    {
        const string folder = "archive/";
        var zip = new StoredZipWriter(stream, Alignment);
        zip.Add(folder + Objects, pickle.Span);
        zip.Add(folder + "byteorder", "little"u8);
        for (var i = 0; i < tensors.Count; i++) zip.Add($"{folder}data/{i}", tensors[i].Data.Span);
        zip.Add(folder + "version", "3\n"u8);
        zip.Finish();
    }
}
