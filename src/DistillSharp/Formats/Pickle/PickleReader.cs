using System.Numerics;
using System.Text.Unicode;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>
/// Reads Python pickles of protocols 0 to 5 as data. What a pickle calls becomes an inert C# object (<see cref="PickleValues"/>):
/// one of use where the global is known, a <see cref="PickledInstance"/> of its name, arguments and state where it is not. No
/// code from a file ever runs, and no file can make it allocate beyond about ten times its size.
/// </summary>
internal sealed class PickleReader(PickleInput input, PickleGlobals globals, AllocationBudget budget, PickleCall? persistentId = null)
{
    const int NewestProtocol = 5, ListItemSize = 16, LongestInteger = 1024;

    /// <summary>Bytes that passing arguments to a global takes, what it returns aside.</summary>
    const int CallSize = 120;

    /// <summary>Charged for a call that does not fit: an exception takes time rather than memory.</summary>
    const int MismatchSize = 4096;

    readonly PickleStack stack = new(input, budget);

    /// <summary>Reads one pickle. Large byte strings are slices of <paramref name="pickle"/>, not copies.</summary>
    /// <exception cref="UserException">The pickle is damaged.</exception>
    public static object? Read(ReadOnlyMemory<byte> pickle, string fileName, PickleGlobals globals)
    {
        var budget = new AllocationBudget(fileName, pickle.Length);
        return new PickleReader(new PickleInput(pickle, fileName, budget), globals, budget).Read();
    }

    /// <summary>Reads the next pickle of the input; files such as PyTorch's older ones hold several in a row.</summary>
    public object? Read()
    {
        stack.Clear();
        while (input.Opcode() is var opcode && opcode != PickleOpcode.Stop) Execute(opcode);
        return stack.Pop();
    }

    void Execute(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Proto: CheckProtocol(input.Byte()); break;
            case PickleOpcode.Frame: CheckFrame(input.Length64()); break;

            case PickleOpcode.None: stack.Push(null); break;
            case PickleOpcode.NewTrue: stack.Push(PickleValues.Box(true)); break;
            case PickleOpcode.NewFalse: stack.Push(PickleValues.Box(false)); break;
            case PickleOpcode.BinInt: PushInteger(input.Int32()); break;
            case PickleOpcode.BinInt1: PushInteger(input.Byte()); break;
            case PickleOpcode.BinInt2: PushInteger(input.UInt16()); break;
            case PickleOpcode.Long1: PushLong(input.Byte()); break;
            case PickleOpcode.Long4: PushLong(input.Int32()); break;
            case PickleOpcode.Int: PushIntegerLine(mayBeBool: true); break;
            case PickleOpcode.Long: PushIntegerLine(mayBeBool: false); break;
            case PickleOpcode.BinFloat: Push(input.BigEndianDouble(), PickleValues.BoxSize); break;
            case PickleOpcode.Float: PushFloatLine(); break;

            case PickleOpcode.ShortBinUnicode: PushText(input.Byte()); break;
            case PickleOpcode.BinUnicode: PushText(input.UInt32()); break;
            case PickleOpcode.BinUnicode8: PushText(input.Length64()); break;
            case PickleOpcode.Unicode: PushUnicodeLine(); break;
            case PickleOpcode.ShortBinString or PickleOpcode.ShortBinBytes: PushBytes(input.Byte()); break;
            case PickleOpcode.BinString: PushBytes(input.Int32()); break;
            case PickleOpcode.BinBytes: PushBytes(input.UInt32()); break;
            case PickleOpcode.BinBytes8 or PickleOpcode.ByteArray8: PushBytes(input.Length64()); break;
            case PickleOpcode.String: PushStringLine(); break;

            case PickleOpcode.EmptyTuple: stack.Push(Array.Empty<object?>()); break;
            case PickleOpcode.Tuple1: PushTuple(stack.PopTuple(1)); break;
            case PickleOpcode.Tuple2: PushTuple(stack.PopTuple(2)); break;
            case PickleOpcode.Tuple3: PushTuple(stack.PopTuple(3)); break;
            case PickleOpcode.Tuple: PushTuple(stack.PopToMark().ToArray()); break;
            case PickleOpcode.EmptyList or PickleOpcode.EmptySet: PushList([]); break;
            case PickleOpcode.List or PickleOpcode.FrozenSet: PushList(stack.PopToMark()); break;
            case PickleOpcode.EmptyDict: PushDict([]); break;
            case PickleOpcode.Dict: PushDict(stack.PopToMark()); break;
            case PickleOpcode.Append: AddItems([stack.Pop()]); break;
            case PickleOpcode.Appends or PickleOpcode.AddItems: AddItems(stack.PopToMark()); break;
            case PickleOpcode.SetItem: SetItems(stack.PopTuple(2)); break;
            case PickleOpcode.SetItems: SetItems(stack.PopToMark()); break;

            case PickleOpcode.Mark: stack.Mark(); break;
            case PickleOpcode.PopMark: stack.PopToMark(); break;
            case PickleOpcode.Pop when stack.AtMark: stack.PopToMark(); break;
            case PickleOpcode.Pop: stack.Pop(); break;
            case PickleOpcode.Dup: stack.Push(stack.Peek()); break;

            case PickleOpcode.Put: stack.Put(Index()); break;
            case PickleOpcode.BinPut: stack.Put(input.Byte()); break;
            case PickleOpcode.LongBinPut: stack.Put(input.UInt32()); break;
            case PickleOpcode.Memoize: stack.Memoize(); break;
            case PickleOpcode.Get: stack.Push(stack.Get(Index())); break;
            case PickleOpcode.BinGet: stack.Push(stack.Get(input.Byte())); break;
            case PickleOpcode.LongBinGet: stack.Push(stack.Get(input.UInt32())); break;

            case PickleOpcode.Global: PushGlobal(LatinLine(), LatinLine()); break;
            case PickleOpcode.StackGlobal: PushStackGlobal(); break;
            case PickleOpcode.Reduce or PickleOpcode.NewObj: Call(); break;
            case PickleOpcode.NewObjEx: CallWithNames(); break;
            case PickleOpcode.Inst: PushCall(globals.Find(LatinLine(), LatinLine(), budget), stack.PopToMark().ToArray()); break;
            case PickleOpcode.Obj: CallToMark(); break;
            case PickleOpcode.Build: Build(); break;
            case PickleOpcode.BinPersId: PushPersistent(stack.Pop()); break;
            case PickleOpcode.PersId: PushPersistent(LatinLine()); break;

            default:
                var known = Enum.IsDefined(opcode);
                throw input.Fail($"refused: {(known ? $"opcode {opcode} (0x{(byte)opcode:x2})" : $"byte 0x{(byte)opcode:x2}")} "
                    + $"{(known ? "is not used by the files that DistillSharp reads" : "is no opcode of a pickle")}");
        }
    }

    void CheckProtocol(byte protocol)
    {
        if (protocol > NewestProtocol)
            throw input.Fail($"pickle protocol {protocol} is newer than {NewestProtocol}, the newest that is known");
    }

    void CheckFrame(long length)
    {
        if (length > input.Remaining) throw Damaged($"a frame of {length} bytes is announced, {input.Remaining} bytes are left");
    }

    void PushInteger(long value)
    {
        if (PickleValues.SmallBox(value) is { } shared) stack.Push(shared);
        else Push(value, PickleValues.BoxSize);
    }

    void PushInteger(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue) PushInteger((long)value);
        else Push(value, 64 + value.GetByteCount());
    }

    void PushLong(int bytes)
    {
        if (bytes is < 0 or > LongestInteger) throw Damaged($"an integer of {bytes} bytes");
        PushInteger(new BigInteger(input.Span(bytes)));
    }

    void PushIntegerLine(bool mayBeBool)
    {
        var line = input.Line();
        if (mayBeBool && (line.SequenceEqual("00"u8) || line.SequenceEqual("01"u8))) stack.Push(PickleValues.Box(line[1] == '1'));
        else PushInteger(PickleText.TryInteger(line, out var value) ? value : throw Damaged("an integer is not a number"));
    }

    void PushFloatLine() =>
        Push(PickleText.TryFloat(input.Line(), out var value) ? value : throw Damaged("a float is not a number"), PickleValues.BoxSize);

    void PushText(long bytes)
    {
        budget.Charge(32 + 2 * Math.Min(bytes, input.Remaining));
        var text = input.Span(bytes);
        stack.Push(Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : throw Damaged("a text is not UTF-8"));
    }

    void PushUnicodeLine() => stack.Push(PickleText.RawUnicode(Charged(input.Line())) ?? throw Damaged("a text has a bad escape"));

    void PushStringLine() => PushBytes(PickleText.Unquote(Charged(input.Line())) ?? throw Damaged("a string is not quoted as it must be"));

    void PushBytes(long length)
    {
        if (length < 0) throw Damaged("a string has a negative length");
        PushBytes(input.Blob(length));
    }

    void PushBytes(ReadOnlyMemory<byte> bytes) => Push(new PickledBytes(bytes), 40);

    void PushTuple(object?[] items) => Push(items, 24 + 8L * items.Length);

    void PushList(ReadOnlySpan<object?> items)
    {
        budget.Charge(32 + ListItemSize * (long)items.Length);
        var list = new List<object?>();
        list.AddRange(items);
        stack.Push(list);
    }

    void PushDict(ReadOnlySpan<object?> items)
    {
        budget.Charge(PickleDict.EmptySize);
        var dict = new PickleDict();
        SetItems(dict, items);
        stack.Push(dict);
    }

    void AddItems(ReadOnlySpan<object?> items)
    {
        var list = stack.Peek() as List<object?> ?? (stack.Peek() as PickledInstance)?.Items
            ?? throw Damaged($"items are added to {PickleValues.Describe(stack.Peek())}, which is no list");
        budget.Charge(ListItemSize * (long)items.Length);
        list.AddRange(items);
    }

    void SetItems(ReadOnlySpan<object?> items) =>
        SetItems(stack.Peek() as PickleDict ?? (stack.Peek() as PickledInstance)?.Entries
            ?? throw Damaged($"entries are set in {PickleValues.Describe(stack.Peek())}, which is no dict"), items);

    void SetItems(PickleDict dict, ReadOnlySpan<object?> items)
    {
        if (items.Length % 2 != 0) throw Damaged("a dict has a key without a value");
        for (var i = 0; i < items.Length; i += 2) dict.Set(items[i], items[i + 1], budget);
    }

    void PushStackGlobal()
    {
        if (stack.PopTuple(2) is not [string module, string name]) throw Damaged("the name of a global is not text");
        PushGlobal(module, name);
    }

    void PushGlobal(string module, string name) => stack.Push(globals.Find(module, name, budget));

    void Call()
    {
        if (stack.PopTuple(2) is not [var callee, object?[] arguments]) throw Damaged("the arguments of a call are no tuple");
        PushCall(callee, arguments);
    }

    void CallWithNames()
    {
        if (stack.PopTuple(3) is not [var callee, object?[] arguments, PickleDict names])
            throw Damaged("the arguments of a call are no tuple and dict");
        // No known global is called so; the names are kept beside the arguments.
        if (names.Count == 0) PushCall(callee, arguments);
        else PushInstance(callee, [.. arguments, names]);
    }

    /// <summary>OBJ: the class and the arguments lie above the last mark.</summary>
    void CallToMark()
    {
        if (stack.PopToMark().ToArray() is not [var callee, .. var arguments]) throw Damaged("an object has no class");
        PushCall(callee, arguments);
    }

    void PushCall(object? callee, object?[] arguments)
    {
        budget.Charge(CallSize + 8L * arguments.Length);
        if (callee is not PickleGlobal { Call: { } call } global) PushInstance(callee, arguments);
        else stack.Push(Understood(global.Name, arguments, call, new(global.Name, arguments, input, budget)));
    }

    void PushInstance(object? callee, object?[] arguments)
    {
        budget.Charge(PickledInstance.Size + 8L * arguments.Length);
        var name = (callee as PickleGlobal)?.Name ?? (callee as PickledInstance)?.Name
            ?? throw Damaged($"it calls {PickleValues.Describe(callee)}");
        stack.Push(new PickledInstance(name, arguments));
    }

    void Build()
    {
        var state = stack.Pop();
        // What is set beside a value of another kind, such as the _metadata of a state dict, nothing here needs.
        if (stack.Peek() is not PickledObject target) return;
        budget.Charge(CallSize);
        var built = Understood(target, [state], Built, new("the state of an object", state as object?[] ?? [state], input, budget));
        stack.Pop();
        stack.Push(built);

        object Built(PickleArguments arguments)
        {
            target.Build(arguments);
            return target;
        }
    }

    void PushPersistent(object? id)
    {
        if (persistentId is null) throw input.Fail("refused: the pickle refers to data outside itself");
        budget.Charge(CallSize);
        var arguments = new PickleArguments("a reference to a storage", id as object?[] ?? [id], input, budget);
        stack.Push(Understood("a storage", [id], persistentId, arguments));
    }

    /// <summary>What a known call makes; one whose arguments do not fit stays data: what was called, and its arguments.</summary>
    object? Understood(object called, object?[] arguments, PickleCall call, PickleArguments given)
    {
        try
        {
            return call(given);
        }
        catch (PickleMismatchException mismatch)
        {
            budget.Charge(MismatchSize);
            return new PickledInstance(called as string ?? PickleValues.Describe(called), arguments, mismatch.Message);
        }
    }

    void Push(object value, long size)
    {
        budget.Charge(size);
        stack.Push(value);
    }

    long Index() => PickleText.TryIndex(input.Line(), out var index) ? index : throw Damaged("the number of a memo is no number");

    string LatinLine() => Encoding.Latin1.GetString(Charged(input.Line()));

    ReadOnlySpan<byte> Charged(ReadOnlySpan<byte> line)
    {
        budget.Charge(64 + 4L * line.Length);
        return line;
    }

    UserException Damaged(string what) => input.Fail($"the pickle is damaged: {what}");
}
