using System.Buffers.Binary;
using System.Text.Json;

namespace DistillSharp.Data;

/// <summary>Writes an index behind whatever a stream holds; the photographs' names and places never lie in memory together.</summary>
/// <param name="to">Takes it.</param>
sealed class PhotographIndexWriter(Stream to)
{
    readonly List<long> places = [];

    /// <summary>How many photographs were noted.</summary>
    public int Count => places.Count;

    /// <summary>Notes a photograph.</summary>
    public void Add(PhotographEntry entry)
    {
        var name = Encoding.UTF8.GetBytes(entry.Name);
        Span<byte> record = stackalloc byte[PhotographIndex.RecordLength];
        BinaryPrimitives.WriteInt64LittleEndian(record, entry.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], entry.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record[12..], entry.Container);
        BinaryPrimitives.WriteInt32LittleEndian(record[16..], entry.Label);
        BinaryPrimitives.WriteInt32LittleEndian(record[20..], name.Length);
        places.Add(to.Position);
        to.Write(record);
        to.Write(name);
    }

    /// <summary>Ends the index.</summary>
    public void End(PhotographFindings findings) => End(to, 0, findings);

    /// <summary>Writes the index behind what another stream holds, and leaves it unfinished where it was.</summary>
    public void EndBehind(Stream other, PhotographFindings findings)
    {
        var start = other.Position;
        to.Position = 0;
        to.CopyTo(other);
        End(other, start, findings);
    }

    void End(Stream at, long start, PhotographFindings findings)
    {
        var table = at.Position;
        Span<byte> number = stackalloc byte[8];
        foreach (var place in places)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, start + place);
            at.Write(number);
        }
        at.Write(JsonSerializer.SerializeToUtf8Bytes(findings));
        foreach (var value in new[] { table, places.Count })
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
            at.Write(number);
        }
        at.Write(PhotographIndex.Magic);
    }
}
