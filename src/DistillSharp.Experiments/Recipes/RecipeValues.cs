using System.Collections;

namespace DistillSharp.Experiments.Recipes;

/// <summary>The values of a section's keys, given or by default. Equal where every value is.</summary>
sealed class RecipeValues : IEquatable<RecipeValues>
{
    readonly Dictionary<string, object?> values = [];
    readonly HashSet<string> hidden = [];

    public object? this[string key]
    {
        get => values[key];
        set => values[key] = value;
    }

    /// <summary>Leaves a key out where the section is written: it has no meaning beside the others.</summary>
    public void Hide(string key) => hidden.Add(key);

    public bool IsShown(string key) => !hidden.Contains(key);

    public bool Equals(RecipeValues? other) => other is not null && values.Count == other.values.Count
        && values.All(entry => other.values.TryGetValue(entry.Key, out var value) && Same(entry.Value, value));

    public override bool Equals(object? obj) => Equals(obj as RecipeValues);

    public override int GetHashCode() => values.Count;

    static bool Same(object? one, object? other) => Equals(one, other)
        || (one is IEnumerable some && other is IEnumerable others && some.Cast<object>().SequenceEqual(others.Cast<object>()));
}
