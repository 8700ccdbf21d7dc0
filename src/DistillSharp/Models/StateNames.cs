using DistillSharp.Formats.Tensors;

namespace DistillSharp.Models;

/// <summary>The names in a file, freed of what wrappers and observers leave in them: a prefix and the network's own names.</summary>
sealed class StateNames
{
    /// <summary>Names longer than this are no network's; comparing them takes time by their square.</summary>
    const int Longest = 300;

    /// <summary>Parts that wrappers put anywhere into names: torch.compile, DataParallel and DDP, activation checkpointing, FSDP.</summary>
    static readonly string[] wrappers = ["_orig_mod", "module", "_checkpoint_wrapped_module", "_fsdp_wrapped_module"];

    /// <summary>What averaged models and profilers keep beside the weights.</summary>
    static readonly (string Name, string Says)[] counters =
    [
        ("n_averaged", "the count of an averaged model (n_averaged)"),
        ("total_ops", "a profiler's counts (total_ops, total_params)"),
        ("total_params", "a profiler's counts (total_ops, total_params)"),
    ];

    const string Parametrized =
        "the weights are parametrized; call torch.nn.utils.parametrize.remove_parametrizations on its layers and save again";

    static readonly (string Ending, string Says)[] reparametrized =
    [
        (".weight_g", "the weights are normalized by torch.nn.utils.weight_norm; call remove_weight_norm on its layers and save again"),
        (".weight_u", "the weights are normalized by torch.nn.utils.spectral_norm; call remove_spectral_norm on its layers and save again"),
        (".parametrizations.weight.original", Parametrized),
        (".parametrizations.weight.original0", Parametrized),
        (".weight_packed", "the weights are quantized; save the network before it is converted"),
        (".base_layer.weight", "the weights hold adapters (LoRA) beside the network's; merge them and save again"),
    ];

    readonly Dictionary<string, TensorEntry> entries = new(StringComparer.Ordinal);

    public StateNames(IReadOnlyList<TensorEntry> given)
    {
        var freed = new HashSet<string>();
        foreach (var entry in given.Where(entry => entry.Name.Length <= Longest))
        {
            var name = Free(entry.Name, out var wrapper);
            if (wrapper is not null) freed.Add(wrapper);
            // Two names that differ only by a wrapper are two tensors: the second keeps its own.
            if (!entries.TryAdd(name, entry)) entries.TryAdd(entry.Name, entry);
        }
        Wrappers = [.. wrappers.Where(freed.Contains)];
        DropCounters();
        ApplyMasks();
        Cause = reparametrized
            .FirstOrDefault(known => entries.Keys.Any(name => name.EndsWith(known.Ending, StringComparison.Ordinal))).Says;
    }

    /// <summary>The tensors by their names without wrappers, in the file's order.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Entries => entries;

    /// <summary>The wrappers that were found in names.</summary>
    public IReadOnlyList<string> Wrappers { get; }

    /// <summary>What was passed over or computed, a line each.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Why the names may not fit, where they tell; a clause.</summary>
    public string? Cause { get; }

    /// <summary>A name without the wrappers' parts.</summary>
    public static string Free(string name, out string? wrapper)
    {
        wrapper = null;
        if (!Array.Exists(wrappers, known => name.Contains(known, StringComparison.Ordinal))) return name;
        var parts = name.Split('.');
        var kept = parts.Where((part, i) => i == parts.Length - 1 || !wrappers.Contains(part)).ToArray();
        wrapper = kept.Length == parts.Length ? null : parts.First(wrappers.Contains);
        return string.Join('.', kept);
    }

    void DropCounters()
    {
        foreach (var says in counters.GroupBy(counter => counter.Says))
        {
            var found = entries
                .Where(entry => says.Any(counter => LastPart(entry.Key) == counter.Name) && entry.Value.Count == 1)
                .Select(entry => entry.Key).ToList();
            if (found.Count == 0) continue;
            found.ForEach(name => entries.Remove(name));
            Notes.Add($"{says.Key} left out: {Counted(found.Count, "value")}");
        }
    }

    /// <summary>torch.nn.utils.prune keeps a weight and a mask; the network computes with their product.</summary>
    void ApplyMasks()
    {
        var pruned = entries.Keys
            .Where(name => name.EndsWith("_orig", StringComparison.Ordinal))
            .Where(name => entries.ContainsKey(name[..^"_orig".Length] + "_mask")).ToList();
        foreach (var name in pruned)
        {
            var plain = name[..^"_orig".Length];
            entries.Remove(name, out var weight);
            entries.Remove(plain + "_mask", out var mask);
            entries.TryAdd(plain, new(plain, weight!.ElementType, weight.Shape, () => Product(plain, weight.Read(), mask!.Read())));
        }
        if (pruned.Count > 0) Notes.Add($"{Counted(pruned.Count, "pruned weight")} multiplied by their masks (torch.nn.utils.prune)");
    }

    static StoredTensor Product(string name, StoredTensor weight, StoredTensor mask)
    {
        using var scope = TensorScope.Open();
        if (!weight.Shape.SequenceEqual(mask.Shape))
            throw new UserException($"the pruned weight {name} and its mask have different shapes");
        return (weight.ToTensor().To(DType.Float32) * mask.ToTensor().To(DType.Float32)).ToStored(name);
    }

    public static string Counted(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    static string LastPart(string name) => name[(name.LastIndexOf('.') + 1)..];
}
