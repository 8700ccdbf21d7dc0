namespace DistillSharp.Data;

/// <summary>What is wrong with an image.</summary>
/// <param name="File">Its name.</param>
/// <param name="Why">A sentence without its subject.</param>
public sealed record ImageProblem(string File, string Why);
