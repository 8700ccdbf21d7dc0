namespace DistillSharp.Training;

/// <summary>The losses of a step, which may still be on their way from a GPU.</summary>
public sealed class StepLosses
{
    readonly Func<IReadOnlyList<(string Name, double Value)>>? read;
    IReadOnlyList<(string Name, double Value)>? terms;

    internal StepLosses(IReadOnlyList<(string Name, double Value)> terms) => this.terms = terms;

    internal StepLosses(Func<IReadOnlyList<(string Name, double Value)>> read) => this.read = read;

    /// <summary>Whether they are here.</summary>
    public bool IsRead => terms is not null;

    /// <summary>Waits for them.</summary>
    /// <returns>The weighted terms of the loss before the step; their sum is the loss.</returns>
    /// <exception cref="TrainingDivergedException">A term is NaN or infinite.</exception>
    public IReadOnlyList<(string Name, double Value)> Read() => terms ??= read!();
}
