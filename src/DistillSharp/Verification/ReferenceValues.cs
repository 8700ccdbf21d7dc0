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
        var draws = Draws(name);
        for (var k = 0; k < values.Length; k++) values[k] = (float)(low + (high - low) * Draw(draws, k));
        return tensor;
    }

    /// <summary>Draws of labels below a number of classes, int64 [count].</summary>
    public Tensor Labels(string name, int classes, int count)
    {
        var draws = Draws(name);
        return Tensor.From([.. Enumerable.Range(0, count).Select(k => (long)Math.Floor(Draw(draws, k) * classes))], count);
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
            if (name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)) tensor.Fill(0);
            else tensor.CopyFrom(StateTensor(prefix + name, [.. tensor.Shape], IsNormWeight(name, names)));
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

    KeyedRandom Draws(string name) =>
        new(Encoding.UTF8.GetBytes($"{salt}/{name}").Aggregate(0xcbf29ce484222325ul, (hash, value) => (hash ^ value) * 0x100000001b3ul));

    static double Draw(KeyedRandom draws, int k) => (draws[k] >> 40) / 16777216.0;
}
