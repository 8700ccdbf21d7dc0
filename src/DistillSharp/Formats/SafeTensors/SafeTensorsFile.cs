using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.SafeTensors;

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">The tensors, in the order in which the header names them.</param>
/// <param name="Metadata">The header's <c>__metadata__</c>, in its order; empty where there is none.</param>
public sealed record SafeTensorsContent(IReadOnlyList<StoredTensor> Tensors, IReadOnlyDictionary<string, string> Metadata);

/// <summary>
/// The safetensors format: an unsigned 64-bit length, a JSON header of that length (name to type, shape and place), then
/// the elements without gaps. See https://github.com/huggingface/safetensors.
/// </summary>
public static class SafeTensorsFile
{
    /// <summary>Bytes of the length that stands before the header.</summary>
    internal const int PrefixSize = 8;

    /// <summary>Reads a file; each tensor's bytes are read once, into memory of their own.</summary>
    /// <exception cref="UserException">There is no such file, it is no safetensors file, or it is damaged.</exception>
    public static SafeTensorsContent Read(string path) => InputFile.Read(path, file => Read(file, path));

    /// <summary>Reads from the start of a seekable stream.</summary>
    internal static SafeTensorsContent Read(Stream file, string name)
    {
        var header = SafeTensorsHeader.Read(file, name);
        var data = new StoredTensor[header.Tensors.Count];
        foreach (var index in header.InFileOrder) data[index] = Elements(file, header.Tensors[index], header);
        return new SafeTensorsContent(data, header.Metadata);
    }

    /// <summary>The tensors of a file, each read when it is needed; the stream must stay open until then.</summary>
    internal static (TensorGroup Group, SafeTensorsHeader Header) Entries(Stream file, string name)
    {
        var header = SafeTensorsHeader.Read(file, name);
        header.Budget.Charge(TensorEntry.Size * (long)header.Tensors.Count);
        return (new("", [.. header.Tensors.Select(tensor =>
            new TensorEntry(tensor.Name, tensor.TypeName, tensor.Shape, () => Elements(file, tensor, header)))]), header);
    }

    static StoredTensor Elements(Stream file, SafeTensorsEntry tensor, SafeTensorsHeader header)
    {
        header.CheckReadable(tensor);
        var length = (int)(tensor.End - tensor.Start);
        header.Budget.Charge(tensor.Small is null ? length : (1 + sizeof(float)) * (long)length);
        var bytes = length == 0 ? [] : GC.AllocateUninitializedArray<byte>(length);
        file.Position = header.DataStart + tensor.Start;
        file.ReadExactly(bytes);
        return tensor.Small is { } small
            ? new(tensor.Name, DType.Float32, tensor.Shape, small.Widen(bytes))
            : new(tensor.Name, tensor.Type!.Value, tensor.Shape, bytes);
    }

    /// <summary>
    /// Writes a file: whole, or not at all. The header names the tensors in the order given; the elements lie so that
    /// every tensor starts at a multiple of its element size.
    /// </summary>
    /// <param name="path">The file to write; one that exists is replaced.</param>
    /// <param name="tensors">The tensors; no two of one name.</param>
    /// <param name="metadata">Texts for the header, kept in their order.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a tensor's bytes do not fit its shape.</exception>
    /// <exception cref="UserException">The file cannot be written; what was there before is untouched.</exception>
    public static void Write(string path, IReadOnlyList<StoredTensor> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        // Wide types first: every width divides those before it, so nothing needs padding, which the format forbids.
        StoredTensor[] inFileOrder = [.. tensors.OrderByDescending(tensor => tensor.Type.Size())];
        var header = SafeTensorsHeader.Encode(tensors, inFileOrder, metadata ?? []);
        AtomicFile.Write(path, file =>
        {
            var writer = new BinaryWriter(file);
            writer.Write((long)header.Length);
            writer.Write(header.Span);
            foreach (var tensor in inFileOrder) writer.Write(tensor.Data.Span);
        });
    }
}
