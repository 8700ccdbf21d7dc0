namespace DistillSharp.Models;

/// <summary>What loading weights found and did.</summary>
/// <param name="File">The file.</param>
/// <param name="Key">Where in the file the weights lay; empty for its own names.</param>
/// <param name="Prefix">What every name had before the network's own; empty for nothing.</param>
/// <param name="Lines">
/// What is worth knowing, a line each: which of several sets of weights was taken, what was left out, converted or computed.
/// Empty where the file held the network's state and no more.
/// </param>
public sealed record WeightsReport(string File, string Key, string Prefix, IReadOnlyList<string> Lines);
