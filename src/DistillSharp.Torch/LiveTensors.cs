using System.Collections.Concurrent;

namespace DistillSharp.Torch;

/// <summary>Counts the tensors that hold a native handle, and on request remembers where each was made.</summary>
public static class LiveTensors
{
    static long count;
    static ConcurrentDictionary<int, string>? stacks;

    /// <summary>How many tensors are alive in this process.</summary>
    public static long Count => Interlocked.Read(ref count);

    /// <summary>Begins to remember the stack of every allocation (slow: for tests and for finding leaks). Disposing ends it.</summary>
    public static Watch Record() => new(stacks = new());

    internal static void Add(Tensor tensor)
    {
        Interlocked.Increment(ref count);
        stacks?.TryAdd(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(tensor), Environment.StackTrace);
    }

    internal static void Remove(Tensor tensor)
    {
        Interlocked.Decrement(ref count);
        stacks?.TryRemove(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(tensor), out _);
    }

    /// <summary>A period in which allocations are remembered.</summary>
    public sealed class Watch : IDisposable
    {
        readonly ConcurrentDictionary<int, string> seen;

        internal Watch(ConcurrentDictionary<int, string> stacks) => seen = stacks;

        /// <summary>The stacks of the tensors made in this period that are still alive.</summary>
        public IReadOnlyCollection<string> Alive => [.. seen.Values];

        public void Dispose() => stacks = null;
    }
}
