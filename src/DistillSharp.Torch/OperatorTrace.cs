namespace DistillSharp.Torch;

/// <summary>One recorded operator call.</summary>
/// <param name="Operator">Name and overload, for example <c>aten::conv2d</c>.</param>
/// <param name="Arguments">As they were passed.</param>
/// <param name="Results">The tensors that came back; for an operator that works in place, its first argument.</param>
/// <param name="Shapes">The shapes of the results at that time.</param>
public sealed record TracedCall(string Operator, Argument[] Arguments, Tensor[] Results, long[][] Shapes);

/// <summary>Computes an operator call in a way of its own.</summary>
/// <param name="index">The call's number, counted from 0 as a recording counts them.</param>
/// <param name="op">The operator that was called.</param>
/// <param name="arguments">Its arguments.</param>
public delegate Tensor OperatorReplacement(int index, Operator op, ReadOnlySpan<Argument> arguments);

/// <summary>
/// Records every operator that this thread calls, in order, until it is disposed: what a network computes, for counting its
/// work or writing it down in another form.
/// </summary>
public sealed class OperatorTrace : IDisposable
{
    [ThreadStatic] static OperatorTrace? current;

    readonly OperatorTrace? outer;
    readonly List<TracedCall> calls = [];
    readonly OperatorReplacement? replacement;
    int count;

    OperatorTrace(OperatorReplacement? replacement = null) => (this.replacement, outer, current) = (replacement, current, this);

    /// <summary>Begins to record.</summary>
    public static OperatorTrace Record() => new();

    /// <summary>
    /// Hands every call that gives one tensor to another, and records nothing: the plain operators are called, in the order that a
    /// recording shows. What the other calls itself is computed as it is.
    /// </summary>
    public static OperatorTrace Replace(OperatorReplacement replacement) => new(replacement);

    /// <summary>Whether this thread is being recorded: then fused kernels give way to the plain operators.</summary>
    public static bool IsRecording => current is not null;

    /// <summary>What was called so far.</summary>
    public IReadOnlyList<TracedCall> Calls => calls;

    internal static void Note(Operator op, ReadOnlySpan<Argument> arguments, params Tensor[] results)
    {
        if (current!.replacement is not null) current.count++;
        else current.calls.Add(new(op.Name, arguments.ToArray(), results, Array.ConvertAll(results, result => result.Shape.ToArray())));
    }

    /// <summary>What a call is replaced by; null where calls are not replaced.</summary>
    internal static Tensor? Replaced(Operator op, ReadOnlySpan<Argument> arguments)
    {
        if (current is not { replacement: { } replacement } trace) return null;
        current = trace.outer;
        try { return replacement(trace.count++, op, arguments); }
        finally { current = trace; }
    }

    /// <summary>Ends the recording.</summary>
    public void Dispose() => current = outer;
}
