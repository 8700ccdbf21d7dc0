using System.Runtime.CompilerServices;
using DistillSharp.Formats.Files;

namespace DistillSharp.Formats.Pickle;

/// <summary>The stack, the marks and the memo of the pickle machine, with every growth charged to the file's budget.</summary>
internal sealed class PickleStack(PickleInput input, AllocationBudget budget)
{
    /// <summary>An unset place of the memo, which null (Python's None) is not.</summary>
    static readonly object unset = new();

    object?[] items = new object?[32];
    int[] marks = new int[8];
    object?[] memo = [];
    int count, markCount, remembered;

    /// <summary>The lowest place that may be popped: what lies below the last mark belongs to an outer value.</summary>
    int Bottom => markCount > 0 ? marks[markCount - 1] : 0;

    public void Clear()
    {
        items.AsSpan(0, count).Clear();
        (count, markCount, remembered, memo) = (0, 0, 0, []);
    }

    public void Push(object? item)
    {
        if (count == items.Length) Grow(ref items, 2L * count);
        items[count++] = item;
    }

    public object? Pop()
    {
        var item = Peek();
        items[--count] = null;
        return item;
    }

    public object? Peek() =>
        count > Bottom ? items[count - 1] : throw input.Fail("the pickle is damaged: a value is missing from its stack");

    public void Mark()
    {
        if (markCount == marks.Length) Grow(ref marks, 2L * markCount);
        marks[markCount++] = count;
    }

    /// <summary>Whether the newest thing on the stack is a mark.</summary>
    public bool AtMark => markCount > 0 && marks[markCount - 1] == count;

    /// <summary>The items above the last mark, taken off with it; valid until the next push.</summary>
    public ReadOnlySpan<object?> PopToMark()
    {
        if (markCount == 0) throw input.Fail("the pickle is damaged: a mark is missing from its stack");
        var start = marks[--markCount];
        var taken = items.AsSpan(start, count - start);
        count = start;
        return taken;
    }

    /// <summary>Takes one to three items off into a tuple.</summary>
    public object?[] PopTuple(int size)
    {
        if (count - Bottom < size) throw input.Fail("the pickle is damaged: a value is missing from its stack");
        var tuple = items.AsSpan(count - size, size).ToArray();
        count -= size;
        return tuple;
    }

    /// <summary>Remembers the newest item under the next free number.</summary>
    public void Memoize() => Put(remembered);

    /// <summary>Remembers the newest item under a number.</summary>
    public void Put(long index)
    {
        // A pickler numbers in order, and each number costs it a byte at least: a larger one is a trick to have memory allocated.
        if (index < 0 || index > input.Position) throw input.Fail($"the pickle is damaged: its memo has no place {index}");
        if (index >= memo.Length)
        {
            var old = memo.Length;
            Grow(ref memo, Math.Max(Math.Max(16, 2L * old), index + 1));
            memo.AsSpan(old).Fill(unset);
        }
        if (ReferenceEquals(memo[index], unset)) remembered++;
        memo[index] = Peek();
    }

    public object? Get(long index) => index >= 0 && index < memo.Length && !ReferenceEquals(memo[index], unset)
        ? memo[index]
        : throw input.Fail($"the pickle is damaged: nothing was put at place {index} of its memo");

    void Grow<T>(ref T[] array, long capacity)
    {
        if (capacity > Array.MaxLength) throw input.Fail("the pickle holds more values than are supported");
        budget.Charge(capacity * Unsafe.SizeOf<T>());
        Array.Resize(ref array, (int)capacity);
    }
}
