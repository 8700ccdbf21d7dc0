using System.Diagnostics.CodeAnalysis;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>
/// Values as they come out of a pickle. None is null; int is <see cref="long"/>, or
/// <see cref="System.Numerics.BigInteger"/> beyond 64 bits; float is <see cref="double"/>; str is <see cref="string"/>;
/// bytes and the str of Python 2 are <see cref="PickledBytes"/>; a tuple is an <c>object?[]</c>; a list or set is a
/// <c>List&lt;object?&gt;</c>; a dict is a <see cref="PickleDict"/>. A list or dict may hold itself: whoever descends counts the depth.
/// </summary>
internal static class PickleValues
{
    static readonly object[] smallIntegers = [.. Enumerable.Range(0, 256).Select(value => (object)(long)value)];
    static readonly object yes = true;
    static readonly object no = false;

    public const int BoxSize = 24;

    public static object Box(bool value) => value ? yes : no;

    /// <summary>A small number without a box of its own, or null.</summary>
    public static object? SmallBox(long value) => value is >= 0 and < 256 ? smallIntegers[value] : null;

    /// <summary>A str of Python 3 or 2.</summary>
    public static bool TryText(object? value, [NotNullWhen(true)] out string? text)
    {
        text = value switch { string s => s, PickledBytes bytes => bytes.Text, _ => null };
        return text is not null;
    }

    /// <summary>A tuple or list of integers, none beyond 64 bits.</summary>
    public static bool TryIntegers(object? value, [NotNullWhen(true)] out long[]? integers)
    {
        integers = value is IReadOnlyList<object?> items && items.All(item => item is long) ? [.. items.Cast<long>()] : null;
        return integers is not null;
    }

    /// <summary>What a value is, in Python's words, for messages.</summary>
    public static string Describe(object? value) => value switch
    {
        null => "None",
        bool => "a bool",
        long or System.Numerics.BigInteger => "an int",
        double => "a float",
        string => "a str",
        PickledBytes => "bytes",
        object?[] => "a tuple",
        List<object?> => "a list",
        PickleDict => "a dict",
        PickledArray => "a numpy array",
        PickleGlobal global => ShownText.Of(global.Name),
        PickledInstance instance => $"an object of {instance}",
        _ => "an object",
    };
}
