using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>Names of Python's own library that pickles of plain data use, each as inert data.</summary>
internal static class PythonGlobals
{
    static readonly string[] builtins = ["builtins", "__builtin__"];
    static readonly string[] copyreg = ["copyreg", "copy_reg"];

    public static PickleGlobals List { get; } = new()
    {
        { "collections", "OrderedDict", Dict },
        { "collections", "Counter", Dict },
        { "collections", "defaultdict", arguments => Dict(arguments.Nested([])) },
        { "collections", "deque", Sequence },
        { "_codecs", "encode", Encode },
        { copyreg, "_reconstructor", Construct },
        { builtins, "dict", Dict },
        { builtins, "list", Sequence },
        { builtins, "set", Sequence },
        { builtins, "frozenset", Sequence },
        { builtins, "tuple", arguments => arguments.Count == 0 ? Array.Empty<object?>() : Copied(arguments).ToArray() },
        { builtins, "bytes", Bytes },
        { builtins, "bytearray", Bytes },
        { builtins, "complex", arguments => new[] { arguments[0], arguments[1] } },
        { builtins, "int", arguments => arguments.Count == 0 ? PickleValues.SmallBox(0) : arguments.Integer(0) },
        { builtins, "float", arguments => arguments.Count == 0 ? 0d : arguments.Of<double>(0, "a float") },
        { builtins, "bool", arguments => PickleValues.Box(arguments.Count > 0 && arguments.Of<bool>(0, "a bool")) },
        { builtins, "str", arguments => arguments.Count == 0 ? "" : arguments.Text(0) },
    };

    /// <summary>OrderedDict and its like: nothing, a dict, or pairs (as Python 2 wrote them).</summary>
    static PickleDict Dict(PickleArguments arguments)
    {
        arguments.Charge(PickleDict.EmptySize);
        var dict = new PickleDict();
        if (arguments is [PickleDict source, ..])
            foreach (var (key, value) in source) arguments.Set(dict, key, value);
        else if (arguments.Count > 0)
            foreach (var item in arguments.Items(0))
                if (item is IReadOnlyList<object?> { Count: 2 } pair) arguments.Set(dict, pair[0], pair[1]);
                else throw arguments.Fail("has an entry that is no pair of key and value");
        return dict;
    }

    static List<object?> Sequence(PickleArguments arguments) => arguments.Count == 0 ? [] : [.. Copied(arguments)];

    static IReadOnlyList<object?> Copied(PickleArguments arguments)
    {
        var items = arguments.Items(0);
        arguments.Charge(32 + 8L * items.Count);
        return items;
    }

    /// <summary>copyreg._reconstructor(class, base, state of the base): how protocols 0 and 1 make an object of a class.</summary>
    static object? Construct(PickleArguments arguments)
    {
        var type = arguments.Of<PickleGlobal>(0, "a class");
        object?[] inner = arguments[2] is null ? [] : [arguments[2]];
        if (type.Call is not null && type.Call != Construct) return type.Call(arguments.Nested(inner));
        arguments.Charge(PickledInstance.Size);
        return new PickledInstance(type.Name, inner);
    }

    /// <summary>_codecs.encode(text, 'latin1'): how protocols below 3 carry the bytes of Python 3.</summary>
    static PickledBytes Encode(PickleArguments arguments)
    {
        var text = arguments.Of<string>(0, "a text");
        var encoding = arguments.Text(1);
        if (encoding is not ("latin1" or "latin-1"))
            throw arguments.Fail($"asks for the encoding {ShownText.Of(encoding)}, but pickles use latin1");
        arguments.Charge(64 + text.Length);
        if (text.AsSpan().ContainsAnyExceptInRange('\0', '\u00ff')) throw arguments.Fail("has a character beyond latin1");
        return new PickledBytes(Encoding.Latin1.GetBytes(text));
    }

    /// <summary>bytes() or bytearray(bytes) or bytearray(text, 'latin-1').</summary>
    static PickledBytes Bytes(PickleArguments arguments) => arguments.Count switch
    {
        0 => new PickledBytes(default),
        1 => arguments.Of<PickledBytes>(0, "bytes"),
        _ => Encode(arguments),
    };
}
