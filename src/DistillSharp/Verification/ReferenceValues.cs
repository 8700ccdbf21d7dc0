using DistillSharp.Models;

namespace DistillSharp.Verification;

/// <summary>
/// The inputs and weights of reference cases: pure functions of (salt, name, index), so that no file need store them.
/// FNV-1a names the stream, splitmix64 draws from it.
/// </summary>
public sealed class ReferenceValues(string salt)
{
    /// <summary>Row-major draws from [low, high).</summary>
    public Tensor Uniform(string name, double low, double high, params long[] shape)
    {
        var tensor = Tensor.Empty(shape);
        var values = tensor.Memory<float>();
        var state = State(name);
        for (var k = 0; k < values.Length; k++) values[k] = (float)(low + (high - low) * Draw(state, (ulong)k));
        return tensor;
    }

    /// <summary>Draws of labels below a number of classes, int64 [count].</summary>
    public Tensor Labels(string name, int classes, int count)
    {
        var state = State(name);
        var labels = new long[count];
        for (var k = 0; k < count; k++) labels[k] = (long)Math.Floor(Draw(state, (ulong)k) * classes);
        return Tensor.From(labels, count);
    }

    /// <summary>Sets a network's whole state.</summary>
    /// <param name="network">The network.</param>
    /// <param name="prefix">Put before each name of its state.</param>
    public void Fill(Classifier network, string prefix = "")
    {
        using var off = Autograd.NoGrad();
        using var scope = TensorScope.Open();
        var names = network.State().Select(entry => entry.Name).ToHashSet();
        foreach (var (name, tensor) in network.State())
        {
            if (name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)) tensor.Fill(0);
            else tensor.CopyFrom(StateTensor(prefix + name, [.. tensor.Shape], IsNormWeight(name, names)));
        }
    }

    Tensor StateTensor(string name, long[] shape, bool normWeight)
    {
        if (name.EndsWith(".running_mean", StringComparison.Ordinal)) return Uniform(name, -.1, .1, shape);
        if (name.EndsWith(".running_var", StringComparison.Ordinal)) return Uniform(name, .5, 1.5, shape);
        if (shape.Length < 2) return normWeight ? Uniform(name, .5, 1.5, shape) : Uniform(name, -.1, .1, shape);
        var bound = Math.Sqrt(3.0 / shape.Skip(1).Aggregate(1L, (product, size) => product * size));
        return Uniform(name, -bound, bound, shape);
    }

    static bool IsNormWeight(string name, HashSet<string> names) =>
        name.EndsWith(".weight", StringComparison.Ordinal) && names.Contains(name[..^"weight".Length] + "running_mean");

    ulong State(string name)
    {
        var hash = 0xcbf29ce484222325ul;
        foreach (var value in Encoding.UTF8.GetBytes($"{salt}/{name}")) hash = (hash ^ value) * 0x100000001b3ul;
        return hash;
    }

    static double Draw(ulong state, ulong k)
    {
        var z = state + (k + 1) * 0x9E3779B97F4A7C15ul;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ul;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBul;
        z ^= z >> 31;
        return (z >> 40) / 16777216.0;
    }
}
