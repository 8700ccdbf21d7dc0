namespace DistillSharp.Tests;

/// <summary>All that was told of how far work has come.</summary>
sealed class Heard : IProgress<WorkProgress>
{
    public List<WorkProgress> Steps { get; } = [];

    public void Report(WorkProgress value) => Steps.Add(value);
}
