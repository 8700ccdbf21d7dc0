namespace DistillSharp.Formats.Pickle;

/// <summary>Python's <c>bytes</c>, <c>bytearray</c>, or the <c>str</c> of Python 2, which does not say whether it is text.</summary>
internal sealed class PickledBytes(ReadOnlyMemory<byte> memory)
{
    public ReadOnlyMemory<byte> Memory { get; } = memory;

    /// <summary>The bytes as Latin-1, which loses nothing.</summary>
    public string Text => Encoding.Latin1.GetString(Memory.Span);

    public override string ToString() => $"{Memory.Length} bytes";
}
