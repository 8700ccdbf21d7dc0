using System.Buffers.Binary;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>
/// The bytes of a pickle, read forwards. Over memory nothing is copied; over a stream a large blob is read straight into
/// its own array. No length that the file states is believed before it is checked against the bytes that remain.
/// </summary>
internal sealed class PickleInput
{
    const int BufferSize = 1 << 16;

    readonly Stream? stream;
    readonly AllocationBudget budget;
    readonly long length;
    ReadOnlyMemory<byte> window;
    byte[] buffer = [];
    long windowStart;
    int offset;
    long opcodeStart;

    public PickleInput(ReadOnlyMemory<byte> pickle, string fileName, AllocationBudget budget) =>
        (window, length, FileName, this.budget) = (pickle, pickle.Length, fileName, budget);

    /// <summary>Reads from where the stream stands; it truly has <paramref name="length"/> bytes from there on.</summary>
    public PickleInput(Stream stream, long length, string fileName, AllocationBudget budget) =>
        (this.stream, this.length, FileName, this.budget) = (stream, length, fileName, budget);

    public string FileName { get; }

    /// <summary>Bytes read so far.</summary>
    public long Position => windowStart + offset;

    public long Remaining => length - Position;

    /// <summary>An error at the opcode being read.</summary>
    public UserException Fail(string message) => new($"{FileName}, byte {opcodeStart}: {message}.");

    /// <summary>The next opcode; errors name its place from here on.</summary>
    public PickleOpcode Opcode()
    {
        opcodeStart = Position;
        return (PickleOpcode)Byte();
    }

    public byte Byte() => Span(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Span(2));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Span(4));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Span(4));

    /// <summary>An unsigned 64-bit length; one beyond a signed number is beyond any file.</summary>
    public long Length64()
    {
        var stated = BinaryPrimitives.ReadUInt64LittleEndian(Span(8));
        return stated <= long.MaxValue ? (long)stated : throw EndsEarly(long.MaxValue);
    }

    public double BigEndianDouble() => BinaryPrimitives.ReadDoubleBigEndian(Span(8));

    /// <summary>The next bytes; valid until the next read.</summary>
    public ReadOnlySpan<byte> Span(long count)
    {
        if (count > window.Length - offset) Fill(count);
        var span = window.Span.Slice(offset, (int)count);
        offset += (int)count;
        return span;
    }

    /// <summary>The next bytes, to keep: a slice of the memory, or an array of their own.</summary>
    public ReadOnlyMemory<byte> Blob(long count)
    {
        CheckLength(count);
        var buffered = window.Slice(offset, (int)Math.Min(count, window.Length - offset));
        var blob = buffered;
        if (stream is not null)
        {
            budget.Charge(count);
            var copy = GC.AllocateUninitializedArray<byte>((int)count);
            buffered.CopyTo(copy);
            var rest = copy.AsSpan(buffered.Length);
            if (stream.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false) < rest.Length) throw EndsEarly(count);
            blob = copy;
        }
        (offset, windowStart) = (offset + buffered.Length, windowStart + count - buffered.Length);
        return blob;
    }

    /// <summary>The bytes up to the next line feed, which is read too; valid until the next read.</summary>
    public ReadOnlySpan<byte> Line()
    {
        var searched = 0;
        while (true)
        {
            var available = window.Span[offset..];
            var end = available[searched..].IndexOf((byte)'\n');
            if (end >= 0)
            {
                offset += searched + end + 1;
                return available[..(searched + end)];
            }
            searched = available.Length;
            if (searched == Remaining) throw EndsEarly(searched + 1L);
            Fill(Math.Min(Remaining, Math.Max(BufferSize, 2L * searched)));
        }
    }

    /// <summary>Makes the window hold at least so many unread bytes.</summary>
    void Fill(long count)
    {
        CheckLength(count);
        if (stream is null) throw EndsEarly(count);
        var unread = window[offset..];
        var target = buffer;
        if (count > buffer.Length)
        {
            var capacity = (int)Math.Max(count, Math.Min(BufferSize, Remaining));
            budget.Charge(capacity);
            target = GC.AllocateUninitializedArray<byte>(capacity);
        }
        unread.CopyTo(target);
        var wanted = (int)Math.Min(target.Length, Remaining) - unread.Length;
        var read = stream.ReadAtLeast(target.AsSpan(unread.Length, wanted), (int)count - unread.Length, throwOnEndOfStream: false);
        if (unread.Length + read < count) throw EndsEarly(count);
        windowStart += offset;
        (buffer, window, offset) = (target, target.AsMemory(0, unread.Length + read), 0);
    }

    void CheckLength(long count)
    {
        if (count > Remaining) throw EndsEarly(count);
        if (count > Array.MaxLength) throw Fail($"one value of {count} bytes is larger than 2 GiB, which is not supported");
    }

    UserException EndsEarly(long wanted) =>
        Fail(wanted == long.MaxValue
            ? "the file ends early or is damaged: a value is longer than any file"
            : $"the file ends early or is damaged: {wanted} more bytes are needed, {Remaining} are left");
}
