using DistillSharp.Formats.Tensors;

namespace DistillSharp.Models;

/// <summary>How a file's tensors go into a network: the prefix of most of its names, what is missing, and what is there beside.</summary>
sealed class WeightsFit
{
    const string Counter = ".num_batches_tracked";

    readonly HashSet<string> used = [];

    /// <summary>Fits tensors to a state by name, under the wanted prefix or else the best, by another program's names if given.</summary>
    public WeightsFit(
        (string Name, int Classes) network, IReadOnlyDictionary<string, Tensor> state, TensorGroup group,
        string? wanted = null, OtherNames? names = null)
    {
        if (names is not null) state = state.ToDictionary(entry => names.Of(entry.Key), entry => entry.Value);
        (Network, State, Group, Names, Other) = (network, state, group, new(group.Tensors), names);
        var prefixes = Prefixes();
        var whole = state.Keys.Count(name => !IsCounter(name));
        // Names that stand alone and are all there are the network's, whatever else the file has under prefixes.
        Prefix = wanted ?? (prefixes.Count > 0 && !prefixes.Contains(("", whole)) ? prefixes[0].Prefix : "");
        foreach (var name in state.Keys) Find(name);
        TakeOtherHead();
        Rivals = wanted is null && IsComplete && Prefix.Length > 0
            ? [.. prefixes.Where(other => other.Prefix != Prefix && other.Fitting >= whole).Select(other => other.Prefix)] : [];
        var first = state.Keys.Select(FirstPart).ToHashSet();
        foreach (var (name, entry) in Names.Entries)
        {
            if (used.Contains(name)) continue;
            var own = name.StartsWith(Prefix, StringComparison.Ordinal) && !IsCounter(name)
                && first.Contains(FirstPart(name[Prefix.Length..]));
            (own ? Unexpected : Foreign).Add((name, entry));
        }
    }

    public (string Name, int Classes) Network { get; }

    public TensorGroup Group { get; }

    /// <summary>The other program whose names <see cref="State"/> has; null where they are the network's own.</summary>
    public OtherNames? Other { get; }

    public StateNames Names { get; }

    /// <summary>What stands before the network's names in the file.</summary>
    public string Prefix { get; }

    /// <summary>Other prefixes under which all of the network's state is there, too.</summary>
    public IReadOnlyList<string> Rivals { get; }

    /// <summary>The file's tensors by the network's names.</summary>
    public Dictionary<string, TensorEntry> Found { get; } = [];

    /// <summary>The network's names that the file lacks; counters of batches aside, which nothing depends on.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Names whose shape in the file is another.</summary>
    public List<string> Misshapen { get; } = [];

    /// <summary>Tensors in the file that belong to a part of such a network, but not to this one: it is another network's file.</summary>
    public List<(string Name, TensorEntry Tensor)> Unexpected { get; } = [];

    /// <summary>Tensors in the file that have nothing to do with the network.</summary>
    public List<(string Name, TensorEntry Tensor)> Foreign { get; } = [];

    /// <summary>A head of another name that was taken for the network's, as a line; null where there was none.</summary>
    public string? OtherHead { get; private set; }

    /// <summary>How many of the network's names are there in the right shape.</summary>
    public int Fitting => Found.Count - Misshapen.Count;

    public bool IsComplete => Missing.Count == 0 && Misshapen.Count == 0;

    /// <summary>Whether the weights can be loaded.</summary>
    public bool Fits => IsComplete && Unexpected.Count == 0;

    /// <summary>How many names the file should have.</summary>
    public int Needed => Found.Count + Missing.Count;

    public IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>Whether a tensor of another shape differs by the number of classes alone.</summary>
    public bool IsOtherHead(string name)
    {
        var (own, given) = (State[name].Shape, Found[name].Shape);
        return own.Count == given.Count && own.Count > 0 && own[0] == Network.Classes && own.Skip(1).SequenceEqual(given.Skip(1));
    }

    public static bool IsCounter(string name) => name.EndsWith(Counter, StringComparison.Ordinal);

    /// <summary>All that stands before one of the network's names, with how many of its names stand behind it, the best first.</summary>
    List<(string Prefix, int Fitting)> Prefixes()
    {
        var counts = new Dictionary<string, (int Names, int Shapes, int Order)>(StringComparer.Ordinal);
        foreach (var (name, entry) in Names.Entries)
            for (var start = 0; start >= 0; start = Next(name, start))
                if (State.TryGetValue(name[start..], out var tensor) && !IsCounter(name))
                {
                    var prefix = name[..start];
                    var (names, shapes, order) = counts.GetValueOrDefault(prefix, (0, 0, counts.Count));
                    counts[prefix] = (names + 1, shapes + (Same(tensor, entry) ? 1 : 0), order);
                }
        var ordered = counts.OrderByDescending(found => found.Value.Shapes)
            .ThenByDescending(found => found.Value.Names).ThenBy(found => found.Value.Order);
        return [.. ordered.Select(found => (found.Key, found.Value.Shapes))];
    }

    static int Next(string name, int start) => name.IndexOf('.', start) is >= 0 and var dot && dot + 1 < name.Length ? dot + 1 : -1;

    void Find(string name)
    {
        // A head may stand outside of the backbone whose prefix the rest has.
        for (var prefix = Prefix; ; prefix = Parent(prefix))
        {
            if (Names.Entries.TryGetValue(prefix + name, out var entry))
            {
                used.Add(prefix + name);
                Found.Add(name, entry);
                if (!Same(State[name], entry)) Misshapen.Add(name);
                return;
            }
            if (prefix.Length == 0) break;
        }
        if (!IsCounter(name)) Missing.Add(name);
    }

    static string Parent(string prefix) => prefix.TrimEnd('.').LastIndexOf('.') is >= 0 and var dot ? prefix[..(dot + 1)] : "";

    /// <summary>Where only the classifier is missing and one linear layer of its shape is left over, that is the classifier.</summary>
    void TakeOtherHead()
    {
        if (Missing.Count == 0 || Missing.Select(Layer).Distinct().Count() > 1) return;
        if (Missing.Find(IsWeight) is not { } weight || State[weight].Dimensions != 2) return;
        var own = Layer(weight);
        bool HasAll(string layer) => Missing.All(name =>
            Names.Entries.TryGetValue(layer + name[own.Length..], out var part) && Same(State[name], part));
        var heads = Names.Entries.Keys.Where(name => !used.Contains(name) && IsWeight(name)).Select(Layer).Where(HasAll).ToList();
        if (heads is not [var head]) return;
        foreach (var name in Missing)
        {
            used.Add(head + name[own.Length..]);
            Found.Add(name, Names.Entries[head + name[own.Length..]]);
        }
        Missing.Clear();
        OtherHead = $"{head} is taken for the classifier {own}: it alone has its shape";
    }

    static bool IsWeight(string name) => name.EndsWith(".weight", StringComparison.Ordinal);

    static string Layer(string name) => name.LastIndexOf('.') is >= 0 and var dot ? name[..dot] : "";

    static string FirstPart(string name) => name.IndexOf('.') is >= 0 and var dot ? name[..dot] : name;

    /// <summary>
    /// The same shape; a counter may have one element in any shape. Another program may have a 1x1 convolution where this has a linear
    /// layer: the same rows in another shape.
    /// </summary>
    bool Same(Tensor own, TensorEntry given) =>
        own.Shape.SequenceEqual(given.Shape) || own.Dimensions == 0 && given.Count == 1 ||
        Other is not null && own.Dimensions > 0 && given.Shape.Count > 0 && own.Shape[0] == given.Shape[0] && own.Count == given.Count;
}
