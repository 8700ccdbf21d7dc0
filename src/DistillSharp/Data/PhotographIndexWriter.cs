using System.Text.Json;

namespace DistillSharp.Data;

/// <summary>Writes an index behind whatever a stream holds; the photographs' names and places never lie in memory together.</summary>
sealed class PhotographIndexWriter(Stream to)
{
    readonly BinaryWriter writer = new(to);
    readonly List<long> places = [];

    public int Count => places.Count;

    public void Add(PhotographEntry entry)
    {
        var name = Encoding.UTF8.GetBytes(entry.Name);
        places.Add(to.Position);
        writer.Write(entry.Offset);
        foreach (var number in (ReadOnlySpan<int>)[entry.Length, entry.Container, entry.Label, name.Length]) writer.Write(number);
        writer.Write(name);
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
        var (table, behind) = (at.Position, new BinaryWriter(at));
        foreach (var place in places) behind.Write(start + place);
        behind.Write(JsonSerializer.SerializeToUtf8Bytes(findings));
        behind.Write(table);
        behind.Write((long)places.Count);
        behind.Write(PhotographIndex.Magic);
    }
}
