using DistillSharp.Formats.Tensors;

namespace DistillSharp.Formats;

/// <summary>What a file of weights holds, before any tensor is read.</summary>
/// <param name="File">The file.</param>
/// <param name="Kind">Its kind in words, for example <c>PyTorch (zip)</c>.</param>
/// <param name="Groups">The dicts of tensors in it, in its order; one without a key for kinds that have no more.</param>
public sealed record WeightsContent(string File, string Kind, IReadOnlyList<TensorGroup> Groups)
{
    /// <summary>Objects of classes that are not known here, and where they lie: kept as data or passed over. None was run.</summary>
    public IReadOnlyList<string> Foreign { get; init; } = [];

    /// <summary>What else is to be said about the file, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Keys under which training programs keep the weights of one network, the likeliest first.</summary>
    internal static IReadOnlyList<string> Keys { get; } =
    [
        "state_dict", "model_state_dict", "model_state", "model", "net", "net_state_dict", "network",
        "student", "student_state_dict", "module", "weights", "params",
    ];

    /// <summary>The groups, the likeliest first: by the last of <see cref="Keys"/> in theirs, then the largest.</summary>
    internal IEnumerable<TensorGroup> Likeliest => Groups.OrderBy(group => Rank(group.Key)).ThenByDescending(group => group.Tensors.Count);

    /// <summary>The likeliest group.</summary>
    internal TensorGroup Main => Likeliest.First();

    static int Rank(string key)
    {
        var parts = key.Split('.');
        // An optimizer's state has tensors as well; averages and teachers come after what was trained.
        if (parts.Any(part => part.Contains("optim", StringComparison.OrdinalIgnoreCase))) return 400;
        var rank = key.Length == 0 ? 50 : 200;
        foreach (var part in parts)
            for (var i = 0; i < Keys.Count; i++)
                if (Keys[i] == part) rank = i;
        return parts.Any(part => part.Contains("ema", StringComparison.Ordinal) || part.Contains("teacher", StringComparison.Ordinal))
            ? rank + 100 : rank;
    }
}
