namespace DistillSharp;

/// <summary>Things by name, as recipes and the command line give them: methods, networks, data sets.</summary>
/// <typeparam name="T">What a name stands for.</typeparam>
/// <param name="kind">What one of them is called in messages, for example <c>network</c>; with an s behind it, several.</param>
public sealed class Registry<T>(string kind)
{
    readonly SortedDictionary<string, T> entries = new(StringComparer.Ordinal);
    bool closed;

    /// <summary>What one of them is called in messages.</summary>
    public string Kind => kind;

    /// <summary>All names, sorted.</summary>
    public IReadOnlyCollection<string> Names => entries.Keys;

    /// <summary>Whether there is something of that name.</summary>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>Makes something known by a name.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    /// <exception cref="InvalidOperationException">This registry is everyone's; add to that of a toolkit of your own.</exception>
    public void Add(string name, T entry)
    {
        if (closed) throw new InvalidOperationException($"the built-in {kind}s are everyone's: add '{name}' to those of a new Toolkit()");
        if (!entries.TryAdd(name, entry)) throw new ArgumentException($"there is a {kind} '{name}' already", nameof(name));
    }

    /// <summary>What a name stands for.</summary>
    /// <exception cref="UsageException">There is nothing of that name.</exception>
    public T this[string name] => entries.TryGetValue(name, out var entry) ? entry
        : throw new UsageException($"there is no {kind} '{name}'; the {kind}s are {string.Join(", ", Names)}{Nearest.Hint(name, Names)}");

    /// <summary>The same registry, which takes no more.</summary>
    internal Registry<T> Close()
    {
        closed = true;
        return this;
    }
}
