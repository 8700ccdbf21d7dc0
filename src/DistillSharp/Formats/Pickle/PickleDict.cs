using System.Collections;
using System.Diagnostics.CodeAnalysis;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>
/// A Python dict in its own order. A key of bytes (Python 2 writes every str so) is kept as text, so that
/// <c>dict["data"]</c> finds <c>b'data'</c> too; tuples and objects as keys are told apart by identity.
/// </summary>
internal sealed class PickleDict : IReadOnlyCollection<KeyValuePair<object, object?>>
{
    /// <summary>A dict that stays empty.</summary>
    public static PickleDict Empty { get; } = new();

    public const int EmptySize = 24;

    /// <summary>Bytes that each entry takes, growth included.</summary>
    const int EntrySize = 64;

    static readonly object none = new();

    OrderedDictionary<object, object?>? entries;

    public int Count => entries?.Count ?? 0;

    /// <summary>Sets an entry; one that exists keeps its place.</summary>
    public void Set(object? key, object? value, AllocationBudget budget)
    {
        // A long key is charged at each use, not for memory but for time: the file may name the same one again and again.
        budget.Charge(EntrySize + 2L * (key switch { string text => text.Length, PickledBytes bytes => bytes.Memory.Length, _ => 0 }));
        (entries ??= new OrderedDictionary<object, object?>(KeyComparer.Instance))[Normal(key)] = value;
    }

    /// <summary>The value of a key, if it is there.</summary>
    public bool TryGet(object? key, out object? value)
    {
        value = null;
        return entries is not null && entries.TryGetValue(Normal(key), out value);
    }

    /// <summary>The value of a key as a type, if it is there and of that type.</summary>
    public bool TryGet<T>(object? key, [NotNullWhen(true)] out T? value)
    {
        value = TryGet(key, out var found) && found is T typed ? typed : default;
        return value is not null;
    }

    /// <summary>The keys that are text, for messages that list what a file holds.</summary>
    public IEnumerable<string> TextKeys => this.Select(entry => entry.Key).OfType<string>();

    public IEnumerator<KeyValuePair<object, object?>> GetEnumerator() =>
        (entries ?? Enumerable.Empty<KeyValuePair<object, object?>>()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    static object Normal(object? key) => key switch { null => none, PickledBytes bytes => bytes.Text, _ => key };

    /// <summary>.NET's hashes of numbers are predictable, and a file could choose keys that all collide; these are not.</summary>
    sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? left, object? right) => object.Equals(left, right);

        public int GetHashCode(object key) => key switch
        {
            long integer => Mixed(integer),
            double real => Mixed(BitConverter.DoubleToInt64Bits(real)),
            _ => key.GetHashCode(),
        };

        static int Mixed(long bits) => HashCode.Combine((int)bits, (int)(bits >> 32));
    }
}
