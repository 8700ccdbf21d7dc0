using System.Buffers.Binary;
using System.IO.Hashing;
using DistillSharp.Models;
using Microsoft.Win32.SafeHandles;

namespace DistillSharp.Training;

/// <summary>
/// A teacher's answers to whole batches, one after another in a file, each with a checksum: key (16 bytes), length of what follows (4),
/// the tensors (how many; type, dimensions and sizes of each; their bytes), XxHash64 of all of it (8). One process writes a file;
/// what a killed one left begins with whole answers, and those are read.
/// </summary>
sealed class TeacherAnswerFile : IDisposable
{
    const int KeySize = 16, HeadSize = KeySize + 4, SumSize = 8;

    readonly SafeFileHandle file;
    long end;

    TeacherAnswerFile(SafeFileHandle file) => this.file = file;

    /// <summary>Bytes in use.</summary>
    public long Bytes => end;

    /// <summary>A new file.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static TeacherAnswerFile Create(string path) =>
        new(File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete));

    /// <summary>A file that is there, and where the answers lie in it.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static TeacherAnswerFile Open(string path, Action<UInt128, long> found)
    {
        var read = new TeacherAnswerFile(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        var length = RandomAccess.GetLength(read.file);
        Span<byte> head = stackalloc byte[HeadSize];
        while (read.end + HeadSize <= length && RandomAccess.Read(read.file, head, read.end) == HeadSize)
        {
            var next = read.end + HeadSize + BinaryPrimitives.ReadUInt32LittleEndian(head[KeySize..]) + SumSize;
            if (next > length) break;
            found(BinaryPrimitives.ReadUInt128LittleEndian(head), read.end);
            read.end = next;
        }
        return read;
    }

    /// <summary>The answer at a place; null where it is not what was written.</summary>
    public ClassifierOutput? Read(UInt128 key, long at)
    {
        var head = new byte[HeadSize];
        if (RandomAccess.Read(file, head, at) != HeadSize || BinaryPrimitives.ReadUInt128LittleEndian(head) != key) return null;
        var entry = new byte[HeadSize + BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(KeySize)) + SumSize];
        if (RandomAccess.Read(file, entry, at) != entry.Length) return null;
        var sum = BinaryPrimitives.ReadUInt64LittleEndian(entry.AsSpan(^SumSize..));
        return XxHash64.HashToUInt64(entry.AsSpan(..^SumSize)) == sum ? Tensors(entry.AsSpan(HeadSize..^SumSize)) : null;
    }

    /// <summary>Adds an answer; its place.</summary>
    /// <exception cref="IOException">The disk is full, say.</exception>
    public long Append(UInt128 key, ClassifierOutput answer)
    {
        var content = new MemoryStream();
        content.Write(new byte[HeadSize]);
        using var scope = TensorScope.Open();
        var tensors = new[] { answer.Logits, answer.Pooled }.OfType<Tensor>().Select(tensor => tensor.Contiguous()).ToArray();
        content.WriteByte((byte)tensors.Length);
        foreach (var tensor in tensors)
        {
            content.Write([(byte)tensor.DType, (byte)tensor.Dimensions]);
            foreach (var size in tensor.Shape) content.Write(BitConverter.GetBytes((int)size));
            content.Write(tensor.Bytes());
        }
        var entry = new byte[content.Length + SumSize];
        content.ToArray().CopyTo(entry, 0);
        BinaryPrimitives.WriteUInt128LittleEndian(entry, key);
        BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(KeySize), (int)content.Length - HeadSize);
        BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(^SumSize..), XxHash64.HashToUInt64(entry.AsSpan(..^SumSize)));
        var at = end;
        RandomAccess.Write(file, entry, at);
        end += entry.Length;
        return at;
    }

    static ClassifierOutput Tensors(ReadOnlySpan<byte> content)
    {
        var tensors = new Tensor[content[0]];
        content = content[1..];
        for (var i = 0; i < tensors.Length; i++)
        {
            var (type, shape) = ((DType)content[0], new long[content[1]]);
            content = content[2..];
            for (var k = 0; k < shape.Length; k++, content = content[4..]) shape[k] = BinaryPrimitives.ReadInt32LittleEndian(content);
            tensors[i] = Tensor.Empty(shape, type);
            var bytes = tensors[i].Bytes();
            content[..bytes.Length].CopyTo(bytes);
            content = content[bytes.Length..];
        }
        return new(tensors[0], tensors.Length > 1 ? tensors[1] : null);
    }

    public void Dispose() => file.Dispose();
}
