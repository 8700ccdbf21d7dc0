namespace DistillSharp.Torch;

/// <summary>One recorded operator call.</summary>
/// <param name="Operator">Name and overload, for example <c>aten::conv2d</c>.</param>
/// <param name="Arguments">As they were passed.</param>
/// <param name="Results">The tensors that came back; for an operator that works in place, its first argument.</param>
/// <param name="Shapes">The shapes of the results at that time.</param>
public sealed record TracedCall(string Operator, Argument[] Arguments, Tensor[] Results, long[][] Shapes);

/// <summary>
/// Records every operator that this thread calls, in order, until it is disposed: what a network computes, for counting its
/// work or writing it down in another form.
/// </summary>
public sealed class OperatorTrace : IDisposable
{
    [ThreadStatic] static OperatorTrace? current;

    readonly OperatorTrace? outer;
    readonly List<TracedCall> calls = [];

    OperatorTrace()
    {
        outer = current;
        current = this;
    }

    /// <summary>Begins to record.</summary>
    public static OperatorTrace Record() => new();

    /// <summary>Whether this thread is being recorded: then fused kernels give way to the plain operators.</summary>
    public static bool IsRecording => current is not null;

    /// <summary>What was called so far.</summary>
    public IReadOnlyList<TracedCall> Calls => calls;

    internal static void Note(Operator op, ReadOnlySpan<Argument> arguments, params Tensor[] results) =>
        current!.calls.Add(new(op.Name, arguments.ToArray(), results, Array.ConvertAll(results, result => result.Shape.ToArray())));

    /// <summary>Ends the recording.</summary>
    public void Dispose() => current = outer;
}
