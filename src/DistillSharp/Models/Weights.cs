using DistillSharp.Formats;
using DistillSharp.Formats.Tensors;
using DistillSharp.Torch;

namespace DistillSharp.Models;

/// <summary>Loads and saves the state of networks, by name.</summary>
public static class Weights
{
    /// <summary>Loads a file: a PyTorch state dict (zip or legacy; plain, nested or prefixed) or safetensors.</summary>
    /// <returns>The network.</returns>
    /// <exception cref="UserException">The file is damaged, or does not fit; then the network is as it was.</exception>
    public static T LoadWeights<T>(this T network, string path) where T : Classifier
    {
        network.LoadState(WeightsFile.Read(path), path);
        return network;
    }

    /// <summary>Loads state by name: all of it or, where anything does not fit, nothing.</summary>
    /// <param name="network">The network.</param>
    /// <param name="stored">The state.</param>
    /// <param name="source">Where it comes from, for the message.</param>
    /// <exception cref="UserException">Names are missing, unexpected or of another shape, or values are not finite. All are listed.</exception>
    public static void LoadState(this Classifier network, IReadOnlyList<StoredTensor> stored, string source)
    {
        var state = network.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        var given = stored.ToDictionary(tensor => tensor.Name);
        var problems = Problems(state, given);
        if (problems.Count > 0)
            throw new UserException($"{source}: these weights do not fit {network.Name} with {network.Classes} classes:\n  {string.Join("\n  ", problems)}");

        using var off = Autograd.NoGrad();
        foreach (var (name, tensor) in state)
        {
            using var scope = TensorScope.Open();
            // Checkpoints made before PyTorch 0.4.1 have no such counters; nothing here depends on them.
            if (given.TryGetValue(name, out var value)) tensor.CopyFrom(value.ToTensor());
            else tensor.Fill(0);
        }
    }

    /// <summary>The network's state, ready to be written.</summary>
    public static IReadOnlyList<StoredTensor> StoredState(this Classifier network, string prefix = "") =>
        [.. network.State().Select(entry => entry.Tensor.ToStored(prefix + entry.Name))];

    static List<string> Problems(Dictionary<string, Tensor> state, Dictionary<string, StoredTensor> given)
    {
        var problems = new List<string>();
        foreach (var (name, tensor) in state)
        {
            if (!given.TryGetValue(name, out var value))
            {
                if (!name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)) problems.Add($"missing: {name} {Shape(tensor.Shape)}");
            }
            else if (!tensor.Shape.SequenceEqual(value.Shape)) problems.Add($"of another shape: {name} is {Shape(value.Shape)}, the network has {Shape(tensor.Shape)}");
            else if (value.Type.IsFloatingPoint() != tensor.DType.IsFloatingPoint()) problems.Add($"of another type: {name} holds {value.Type}, the network has {tensor.DType}");
            else if (!Finite(value)) problems.Add($"not finite: {name} holds NaN or infinite values");
        }
        problems.AddRange(given.Values.Where(value => !state.ContainsKey(value.Name)).Select(value => $"unexpected: {value.Name} {Shape(value.Shape)}"));
        return problems;
    }

    static bool Finite(StoredTensor value)
    {
        if (!value.Type.IsFloatingPoint()) return true;
        using var scope = TensorScope.Open();
        return value.ToTensor().AllFinite();
    }

    static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
