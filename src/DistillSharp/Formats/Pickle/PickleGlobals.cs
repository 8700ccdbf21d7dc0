using System.Collections;

namespace DistillSharp.Formats.Pickle;

/// <summary>Makes the inert C# object that stands for the result of a Python call. It never runs anything from the file.</summary>
internal delegate object? PickleCall(PickleArguments arguments);

/// <summary>A Python function or class that a pickle may name.</summary>
/// <param name="Name">Its full name, for messages.</param>
/// <param name="Call">What a call of it becomes; null where it may be named but not called.</param>
internal sealed record PickleGlobal(string Name, PickleCall? Call);

/// <summary>
/// The globals that a pickle may name; every other is refused. This list is the whole of what a file can reach.
/// </summary>
internal sealed class PickleGlobals : IEnumerable
{
    const int LongestName = 256;

    readonly Dictionary<(string Module, string Name), object?> known = [];

    /// <summary>What a user may do about a name that is refused; a clause, without a full stop.</summary>
    public string? Advice { get; init; }

    /// <summary>All globals of several lists.</summary>
    public static PickleGlobals Union(ReadOnlySpan<PickleGlobals> lists, string? advice = null)
    {
        var union = new PickleGlobals { Advice = advice };
        foreach (var list in lists)
            foreach (var (name, value) in list.known) union.known[name] = value;
        return union;
    }

    /// <summary>A function or class: what a call of it becomes.</summary>
    public void Add(string module, string name, PickleCall call) => known.Add((module, name), new PickleGlobal($"{module}.{name}", call));

    /// <summary>A function or class under several modules: Python 2 and 3, numpy 1 and 2 name them differently.</summary>
    public void Add(string[] modules, string name, PickleCall call)
    {
        foreach (var module in modules) Add(module, name, call);
    }

    /// <summary>A class that may be named, as an argument to something else, but not called.</summary>
    public void Add(string module, string name) => known.Add((module, name), new PickleGlobal($"{module}.{name}", null));

    /// <summary>A global that is itself a value, such as an element type.</summary>
    public void AddValue(string module, string name, object value) => known.Add((module, name), value);

    /// <summary>Finds a global, or says that the file may not name it.</summary>
    public bool TryFind(string module, string name, out object? value)
    {
        value = null;
        return module.Length <= LongestName && name.Length <= LongestName && known.TryGetValue((module, name), out value);
    }

    IEnumerator IEnumerable.GetEnumerator() => known.GetEnumerator();
}
