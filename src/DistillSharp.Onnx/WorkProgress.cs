namespace DistillSharp.Onnx;

/// <summary>How far a long piece of work is.</summary>
/// <param name="What">What is being done, as a user would say it.</param>
/// <param name="Done">Units done.</param>
/// <param name="Of">Units there are.</param>
public readonly record struct WorkProgress(string What, int Done, int Of);
