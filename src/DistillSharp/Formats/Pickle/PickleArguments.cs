using System.Collections;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>What a pickle passes to a known global, with the errors that name the global, the file and the place.</summary>
internal sealed class PickleArguments(string callee, IReadOnlyList<object?> values, PickleInput input, AllocationBudget budget)
    : IReadOnlyList<object?>
{
    const int LongestText = 4096, LongestList = 64;

    public int Count => values.Count;

    public object? this[int index] => index < values.Count ? values[index] : throw Fail($"has no argument {index + 1}");

    /// <summary>A short text: a name, a key, an encoding.</summary>
    public string Text(int index) => this[index] switch
    {
        string { Length: <= LongestText } text => text,
        PickledBytes { Memory.Length: <= LongestText } bytes => bytes.Text,
        var other => throw Fail(index, other, "a short text"),
    };

    public long Integer(int index) => this[index] is long value ? value : throw Fail(index, this[index], "an integer");

    /// <summary>A short tuple or list of integers, such as a shape.</summary>
    public long[] Integers(int index)
    {
        if (this[index] is not IReadOnlyList<object?> { Count: <= LongestList } items || !PickleValues.TryIntegers(items, out var integers))
            throw Fail(index, this[index], $"a tuple of at most {LongestList} integers");
        Charge(32 + 8L * integers.Length);
        return integers;
    }

    public IReadOnlyList<object?> Items(int index) => Of<IReadOnlyList<object?>>(index, "a tuple or list");

    public T Of<T>(int index, string expected) => this[index] is T value ? value : throw Fail(index, this[index], expected);

    /// <summary>The arguments of a call that this one wraps.</summary>
    public PickleArguments Nested(IReadOnlyList<object?> inner) => new(callee, inner, input, budget);

    public void Charge(long bytes) => budget.Charge(bytes);

    /// <summary>Sets an entry of a dict, on the file's budget.</summary>
    public void Set(PickleDict dict, object? key, object? value) => dict.Set(key, value, budget);

    /// <summary>An error about the call as a whole.</summary>
    public PickleMismatchException Fail(string what) =>
        new(input.Fail($"the pickle is damaged or of an unknown kind: {callee} {what}").Message);

    PickleMismatchException Fail(int index, object? given, string expected) =>
        Fail($"has {PickleValues.Describe(given)} as argument {index + 1} where {expected} is needed");

    public IEnumerator<object?> GetEnumerator() => values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A known call has arguments that it cannot have.</summary>
internal sealed class PickleMismatchException(string message) : UserException(message);
