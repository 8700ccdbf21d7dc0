using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>An inert object that a call in a pickle makes and that takes Python's <c>__setstate__</c>.</summary>
internal abstract class PickledObject
{
    /// <summary>Takes the state that the pickle gives (the BUILD opcode); a state that is no tuple comes as one argument.</summary>
    public abstract void Build(PickleArguments state);
}

/// <summary>
/// An object of a Python class that is not known here, or what a function that is not known would have returned: its name,
/// what it was made from and what was put into it, as data. Nothing of it was run.
/// </summary>
internal sealed class PickledInstance(string name, IReadOnlyList<object?> arguments, string? trouble = null) : PickledObject
{
    /// <summary>Rough bytes that one takes, its arguments aside.</summary>
    public const int Size = 96;

    public string Name { get; } = name;

    public IReadOnlyList<object?> Arguments { get; } = arguments;

    /// <summary>Why a known call could not be understood; null where the name is not known.</summary>
    public string? Trouble { get; } = trouble;

    /// <summary>The attributes, where the state is a dict; a class with slots has them in the second of two.</summary>
    public PickleDict Attributes { get; private set; } = PickleDict.Empty;

    /// <summary>Items that were added, as to a subclass of list.</summary>
    public List<object?> Items => items ??= [];

    /// <summary>Entries that were set, as in a subclass of dict.</summary>
    public PickleDict Entries => entries ??= new();

    public bool HasEntries => entries is not null;

    public bool HasItems => items is not null;

    List<object?>? items;
    PickleDict? entries;

    public override void Build(PickleArguments state)
    {
        if (state is [PickleDict attributes, ..]) Attributes = attributes;
        else if (state is [_, PickleDict slots]) Attributes = slots;
    }

    public override string ToString() => ShownText.Of(Name);
}
