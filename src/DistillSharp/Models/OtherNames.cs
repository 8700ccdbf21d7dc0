namespace DistillSharp.Models;

/// <summary>The names under which another program keeps a network's state.</summary>
sealed class OtherNames
{
    readonly Dictionary<string, string> parts;

    /// <param name="program">Whose names they are, for messages.</param>
    /// <param name="parts">Names of parts or of single tensors, here and there; what is not among them has the same name.</param>
    /// <param name="epsilons">What batch norms add to the variance there, and here; null where it is the same.</param>
    public OtherNames(string program, IEnumerable<(string Own, string Other)> parts, (double There, double Here)? epsilons = null) =>
        (Program, this.parts, Epsilons) = (program, parts.ToDictionary(part => part.Own, part => part.Other), epsilons);

    /// <summary>As given; variances that are larger by the difference make the same network.</summary>
    public (double There, double Here)? Epsilons { get; }

    public string Program { get; }

    /// <summary>The other name of a tensor: that of the longest part of the name that has another.</summary>
    public string Of(string name)
    {
        for (var end = name.Length; end > 0; end = name.LastIndexOf('.', end - 1))
            if (parts.TryGetValue(name[..end], out var other)) return other + name[end..];
        return name;
    }
}
