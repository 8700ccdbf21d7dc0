namespace DistillSharp.Torch;

/// <summary>
/// Frees, when it is disposed, every tensor that was made on this thread since it was opened and was not kept. Scopes nest:
/// a kept tensor passes to the enclosing scope, or to nobody where there is none.
/// </summary>
/// <example><code>
/// using var scope = TensorScope.Open();
/// var hidden = Functional.Relu(first.Forward(x));
/// return scope.Keep(second.Forward(hidden));       // hidden is freed here
/// </code></example>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic] static TensorScope? current;
    [ThreadStatic] static Stack<List<Tensor>>? spare;

    readonly TensorScope? outer;
    readonly List<Tensor> made;
    bool closed;

    TensorScope()
    {
        outer = current;
        made = (spare ??= new()).TryPop(out var list) ? list : [];
        current = this;
    }

    /// <summary>Opens a scope on this thread.</summary>
    public static TensorScope Open() => new();

    internal static TensorScope? Current => current;

    internal void Adopt(Tensor tensor) => made.Add(tensor);

    /// <summary>Lets a tensor outlive this scope; it passes to the enclosing one.</summary>
    public Tensor Keep(Tensor tensor)
    {
        if (tensor.Scope == this) tensor.MoveTo(outer);
        return tensor;
    }

    /// <summary>Keeps a tensor as <see cref="Keep(Tensor)"/> does, where there is one.</summary>
    public Tensor? KeepIfAny(Tensor? tensor) => tensor is null ? null : Keep(tensor);

    /// <summary>Frees what was made and not kept.</summary>
    /// <exception cref="InvalidOperationException">A scope opened later on this thread is still open.</exception>
    public void Dispose()
    {
        if (closed) return;
        if (current != this)
            throw new InvalidOperationException("a tensor scope was closed before one that was opened within it, or on another thread");
        closed = true;
        current = outer;
        foreach (var tensor in made)
            if (tensor.Scope == this) tensor.Dispose();
        made.Clear();
        spare!.Push(made);
    }
}
