using System.Collections;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>Makes the inert C# object that stands for the result of a Python call. It never runs anything from the file.</summary>
internal delegate object? PickleCall(PickleArguments arguments);

/// <summary>A Python function or class by its full name; Call is null where a call of it becomes a <see cref="PickledInstance"/>.</summary>
internal sealed record PickleGlobal(string Name, PickleCall? Call);

/// <summary>
/// The globals whose calls become something of use; a call of any other becomes a <see cref="PickledInstance"/>, which is data.
/// </summary>
internal sealed class PickleGlobals : IEnumerable
{
    readonly Dictionary<(string Module, string Name), object?> known = [];

    /// <summary>All globals of several lists.</summary>
    public static PickleGlobals Union(ReadOnlySpan<PickleGlobals> lists)
    {
        var union = new PickleGlobals();
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

    /// <summary>A global that is itself a value, such as an element type.</summary>
    public void AddValue(string module, string name, object value) => known.Add((module, name), value);

    /// <summary>A global by its name: known or not.</summary>
    public object? Find(string module, string name, AllocationBudget budget)
    {
        if (known.TryGetValue((module, name), out var value)) return value;
        budget.Charge(64 + 2L * (module.Length + name.Length));
        return new PickleGlobal($"{module}.{name}", null);
    }

    IEnumerator IEnumerable.GetEnumerator() => known.GetEnumerator();
}
