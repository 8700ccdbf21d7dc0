using DistillSharp.Formats.Files;
using DistillSharp.Formats.Pickle;

namespace DistillSharp.Formats.PyTorch;

/// <summary>Finds the named tensors in what a PyTorch checkpoint holds.</summary>
internal static class StateDict
{
    const int Deepest = 8;

    /// <summary>Keys under which training programs keep the state dict, the likeliest first.</summary>
    public static IReadOnlyList<string> Keys { get; } =
    [
        "state_dict", "model_state_dict", "model_state", "model", "net", "net_state_dict", "network",
        "student", "student_state_dict", "module", "weights", "params",
    ];

    /// <summary>
    /// The state dict of a checkpoint: the dict under the first of <see cref="Keys"/> that holds tensors, at any depth; else
    /// the dict itself; else the only dict of tensors in it under whatever key.
    /// </summary>
    /// <returns>Names and tensors in the file's order; entries that are no tensors are left out.</returns>
    public static IReadOnlyList<(string Name, TorchTensor Tensor)> Find(object? root, string file)
    {
        if (root is not PickleDict dict)
            throw new UserException($"{file}: holds {PickleValues.Describe(root)}, where a state dict (names and tensors) is needed.");
        var found = Search(dict, [], 0) ?? Only(dict) ?? throw Missing(dict, file);
        var tensors = new List<(string, TorchTensor)>();
        foreach (var (key, value) in found)
        {
            if (key is not string name) continue;
            if (value is TorchForeignTensor foreign)
                throw new UserException($"{file}: the tensor '{ShownText.Of(name)}' is {foreign.Kind}, which is not supported.");
            if (value is TorchTensor tensor) tensors.Add((name, tensor));
        }
        return tensors;
    }

    static PickleDict? Search(PickleDict dict, HashSet<PickleDict> seen, int depth)
    {
        if (depth == Deepest || !seen.Add(dict)) return null;
        foreach (var key in Keys)
            if (dict.TryGet<PickleDict>(key, out var inner) && Search(inner, seen, depth + 1) is { } found) return found;
        return HoldsTensors(dict) ? dict : null;
    }

    static PickleDict? Only(PickleDict dict)
    {
        var candidates = dict.Select(entry => entry.Value).OfType<PickleDict>().Where(HoldsTensors).Take(2).ToArray();
        return candidates.Length == 1 ? candidates[0] : null;
    }

    static bool HoldsTensors(PickleDict dict) => dict.Any(entry => entry.Key is string && entry.Value is TorchTensor or TorchForeignTensor);

    static UserException Missing(PickleDict dict, string file)
    {
        var keys = string.Join(", ", dict.TextKeys.Take(20).Select(key => $"'{ShownText.Of(key)}'"));
        return new UserException($"{file}: no state dict was found. Its keys are {(keys.Length > 0 ? keys : "not texts")}; one of them should be {string.Join(", ", Keys)}, or the file should be a state dict itself.");
    }
}
