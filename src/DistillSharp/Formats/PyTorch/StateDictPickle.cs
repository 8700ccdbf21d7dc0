using System.Numerics;
using DistillSharp.Formats.Pickle;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats.PyTorch;

/// <summary>
/// The pickle of a state dict, protocol 2: an OrderedDict of names and calls of <c>torch._utils._rebuild_tensor_v2</c>,
/// with the storages left to the archive. The opcodes are those that <c>torch.load(weights_only=True)</c> takes.
/// </summary>
internal sealed class StateDictPickle
{
    readonly MemoryStream pickle = new();
    readonly BinaryWriter writer;

    StateDictPickle() => writer = new(pickle);

    /// <summary>The pickle of the tensors; the storage of each is called by its place in the list.</summary>
    /// <exception cref="ArgumentException">Two tensors have one name, or a tensor's bytes do not fit its shape.</exception>
    public static ReadOnlyMemory<byte> Encode(IReadOnlyList<StoredTensor> tensors)
    {
        StoredTensors.CheckWritable(tensors);
        var encoder = new StateDictPickle();
        encoder.WriteAll(tensors);
        return encoder.pickle.GetBuffer().AsMemory(0, (int)encoder.pickle.Length);
    }

    void WriteAll(IReadOnlyList<StoredTensor> tensors)
    {
        Write(PickleOpcode.Proto);
        writer.Write((byte)2);
        WriteEmptyOrderedDict();
        Write(PickleOpcode.Mark);
        for (var i = 0; i < tensors.Count; i++)
        {
            WriteText(tensors[i].Name);
            WriteTensor(tensors[i], i);
        }
        Write(PickleOpcode.SetItems, PickleOpcode.Stop);
    }

    /// <summary>_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks).</summary>
    void WriteTensor(StoredTensor tensor, int index)
    {
        WriteGlobal("torch._utils", "_rebuild_tensor_v2");
        Write(PickleOpcode.Mark);
        WriteStorage(tensor, index);
        WriteInteger(0);
        WriteTuple(tensor.Shape);
        WriteTuple(StridedElements.RowMajor(tensor.Shape));
        Write(PickleOpcode.NewFalse);
        WriteEmptyOrderedDict();
        Write(PickleOpcode.Tuple, PickleOpcode.Reduce);
    }

    /// <summary>('storage', type, key, location, count) as a reference to data outside the pickle.</summary>
    void WriteStorage(StoredTensor tensor, int index)
    {
        Write(PickleOpcode.Mark);
        WriteText("storage");
        WriteGlobal("torch", TorchGlobals.StorageName(tensor.Type));
        WriteText(index.ToString());
        WriteText("cpu");
        WriteInteger(tensor.Data.Length / tensor.Type.Size());
        Write(PickleOpcode.Tuple, PickleOpcode.BinPersId);
    }

    void WriteEmptyOrderedDict()
    {
        WriteGlobal("collections", "OrderedDict");
        Write(PickleOpcode.EmptyTuple, PickleOpcode.Reduce);
    }

    void WriteTuple(IReadOnlyList<long> integers)
    {
        Write(PickleOpcode.Mark);
        foreach (var integer in integers) WriteInteger(integer);
        Write(PickleOpcode.Tuple);
    }

    void WriteInteger(long value)
    {
        if (value == (int)value)
        {
            Write(PickleOpcode.BinInt);
            writer.Write((int)value);
            return;
        }
        var bytes = new BigInteger(value).ToByteArray();
        Write(PickleOpcode.Long1);
        writer.Write((byte)bytes.Length);
        writer.Write(bytes);
    }

    void WriteText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Write(PickleOpcode.BinUnicode);
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    void WriteGlobal(string module, string name)
    {
        Write(PickleOpcode.Global);
        writer.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
    }

    void Write(params ReadOnlySpan<PickleOpcode> opcodes)
    {
        foreach (var opcode in opcodes) writer.Write((byte)opcode);
    }
}
