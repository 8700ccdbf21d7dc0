using DistillSharp.Formats;
using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Models;

/// <summary>Loads and saves the state of networks, by name.</summary>
public static class Weights
{
    const int Shown = 3;

    /// <inheritdoc cref="LoadWeights{T}(T, string, out WeightsReport)"/>
    public static T LoadWeights<T>(this T network, string path) where T : Classifier => network.LoadWeights(path, out _);

    /// <summary>
    /// Loads a file of any kind that <see cref="WeightsFile"/> reads: all of the network's state or, where anything does not fit,
    /// nothing. A prefix of the names goes, wrappers' parts in them too; tensors that have nothing to do with the network are left
    /// out; half, bfloat16, float64 and float8 are converted.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="path">
    /// The file; FILE#KEY for one of several sets of weights in it: the key under which it lies (<c>state_dict_ema</c>), or its
    /// prefix (<c>student</c>).
    /// </param>
    /// <param name="report">What was found and done.</param>
    /// <returns>The network.</returns>
    /// <exception cref="UserException">The file is damaged, or does not fit; then the network is as it was.</exception>
    public static T LoadWeights<T>(this T network, string path, out WeightsReport report) where T : Classifier
    {
        var (file, key) = Split(path);
        report = WeightsFile.Use(file, content => Load(network, content, key));
        return network;
    }

    /// <summary>Loads state by name: all of it or, where anything does not fit, nothing.</summary>
    /// <param name="network">The network.</param>
    /// <param name="stored">The state.</param>
    /// <param name="source">Where it comes from, for the message.</param>
    /// <exception cref="UserException">Names are missing, unexpected or of another shape, or values are not finite.</exception>
    public static void LoadState(this Classifier network, IReadOnlyList<StoredTensor> stored, string source) =>
        Load(network, new(source, "", [new("", [.. stored.Select(TensorEntry.Of)])]), key: null);

    /// <summary>The network's state, ready to be written.</summary>
    public static IReadOnlyList<StoredTensor> StoredState(this Classifier network, string prefix = "") =>
        [.. network.State().Select(entry => entry.Tensor.ToStored(prefix + entry.Name))];

    /// <summary>The file and the key of FILE#KEY; a file whose own name has a # is taken as it is.</summary>
    internal static (string File, string? Key) Split(string path) =>
        path.LastIndexOf('#') is > 0 and var at && !File.Exists(path) ? (path[..at], path[(at + 1)..]) : (path, null);

    /// <summary>The size of the first dimension of a tensor in a file, under whatever prefix; null where there is none.</summary>
    internal static long? FirstSize(string path, string name)
    {
        var (file, key) = Split(path);
        return WeightsFile.Use(file, content =>
        {
            var groups = content.Likeliest.Where(group => key is null || Candidates(content, key).Any(found => found.Group == group));
            return groups.SelectMany(group => new StateNames(group.Tensors).Entries)
                .Where(entry => entry.Key == name || entry.Key.EndsWith("." + name, StringComparison.Ordinal))
                .Where(entry => entry.Value.Shape.Count > 0)
                .Select(entry => (long?)entry.Value.Shape[0]).FirstOrDefault();
        });
    }

    static WeightsReport Load(Classifier network, WeightsContent content, string? key)
    {
        var fit = Choose(network, content, key, out var others);
        if (fit.Rivals.Count > 0) throw Ambiguous(fit, content);
        if (!fit.Fits) throw WeightsMismatch.Report(fit, content.File);

        var read = fit.Found.ToDictionary(found => found.Key, found => found.Value.Read());
        foreach (var (name, value) in read) Check(network, fit, content.File, name, value);
        using var off = Autograd.NoGrad();
        foreach (var (name, tensor) in fit.State)
        {
            using var scope = TensorScope.Open();
            // Checkpoints made before PyTorch 0.4.1 have no such counters; nothing here depends on them.
            if (read.TryGetValue(name, out var value)) tensor.CopyFrom(value.ToTensor().Reshape([.. tensor.Shape]));
            else tensor.Fill(0);
            if (fit.Other?.Epsilons is var (there, here) && name.EndsWith(".running_var", StringComparison.Ordinal))
                tensor.AddInPlace(there - here);
        }
        return new(content.File, fit.Group.Key, fit.Prefix, [.. Lines(fit, content, others, read.Values)]);
    }

    /// <summary>The tensors that fit best: of a key, or of all that the file holds.</summary>
    static WeightsFit Choose(Classifier network, WeightsContent content, string? key, out List<string> others)
    {
        var state = network.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
        var candidates = key is null ? [.. content.Likeliest.Select(group => (group, (string?)null))] : Candidates(content, key);
        if (candidates.Count == 0) throw NoSuchKey(content, key!);
        OtherNames?[] names = [null, .. network.OtherNames];
        var fits = names.SelectMany(other => candidates.Select(candidate =>
            new WeightsFit((network.Name, network.Classes), state, candidate.Group, candidate.Prefix, other))).ToList();
        var fitting = fits.Where(fit => fit.Fits).ToList();
        var named = fitting.Skip(1).Select(fit => fit.Group.Key.Length > 0 ? fit.Group.Key : fit.Prefix.TrimEnd('.'));
        others = [.. named.Where(other => other.Length > 0)];
        return fitting.Count > 0 ? fitting[0] : fits.MaxBy(fit => fit.Fitting)!;
    }

    /// <summary>What a key can mean: a dict of tensors in the file, or a prefix in one.</summary>
    static List<(TensorGroup Group, string? Prefix)> Candidates(WeightsContent content, string key)
    {
        List<(TensorGroup, string?)> found = [.. content.Groups.Where(group => group.Key == key).Select(group => (group, (string?)null))];
        if (found.Count > 0) return found;
        foreach (var group in content.Groups)
        {
            var within = group.Key.Length > 0 && key.StartsWith(group.Key + ".", StringComparison.Ordinal);
            var inner = within ? key[(group.Key.Length + 1)..] : key;
            var prefix = StateNames.Free(inner.TrimEnd('.') + ".x", out _)[..^1];
            if (prefix.Length == 0) continue;
            if (new StateNames(group.Tensors).Entries.Keys.Any(name => name.StartsWith(prefix, StringComparison.Ordinal)))
                found.Add((group, prefix));
        }
        return found;
    }

    static UserException NoSuchKey(WeightsContent content, string key)
    {
        var keys = content.Groups.Select(group => group.Key).Where(known => known.Length > 0).ToList();
        return new UserException($"{content.File}: holds nothing under '{ShownText.Of(key)}'; "
            + (keys.Count > 0
                ? $"there are {string.Join(", ", keys.Take(10).Select(ShownText.Of))}{Nearest.Hint(key, keys)}"
                : "its tensors lie under no key"));
    }

    static UserException Ambiguous(WeightsFit fit, WeightsContent content)
    {
        string[] prefixes = [fit.Prefix, .. fit.Rivals];
        var choices = prefixes.Select(prefix => prefix.TrimEnd('.')).Where(prefix => prefix.Length > 0).Select(ShownText.Of);
        var under = string.Join(" and ", prefixes.Select(prefix => prefix.Length > 0 ? ShownText.Of(prefix) : "no prefix"));
        return new UserException($"{content.File}: holds {prefixes.Length} networks that fit {fit.Network.Name}, under {under}; "
            + $"say which one: {string.Join(" or ", choices.Select(choice => $"{content.File}#{choice}"))}");
    }

    static void Check(Classifier network, WeightsFit fit, string source, string name, StoredTensor value)
    {
        var own = fit.State[name];
        if (WeightsFit.IsCounter(name)) return;
        string Start() => $"{source}: these weights do not fit {network.Name} with {network.Classes} classes:\n  ";
        if (value.Type.IsFloatingPoint() != own.DType.IsFloatingPoint())
            throw new UserException($"{Start()}of another type: {name} holds {value.Type}, the network has {own.DType}");
        if (!value.Type.IsFloatingPoint()) return;
        using var scope = TensorScope.Open();
        if (!value.ToTensor().AllFinite()) throw new UserException($"{Start()}not finite: {name} holds NaN or infinite values");
    }

    static IEnumerable<string> Lines(WeightsFit fit, WeightsContent content, List<string> others, IEnumerable<StoredTensor> read)
    {
        if (fit.Group.Key.Length > 0 && others.Count > 0)
            yield return $"the weights under {ShownText.Of(fit.Group.Key)} "
                + $"are taken; {string.Join(", ", others.Select(ShownText.Of))} would fit, too: FILE#{ShownText.Of(others[0])} takes that";
        if (fit.Other is { } other) yield return $"the names are those of {other.Program}";
        if (fit.Other?.Epsilons is var (there, here))
            yield return string.Create(CultureInfo.InvariantCulture,
                $"there batch norms add {there} to the variance, here {here}: the variances are shifted by the difference");
        foreach (var note in content.Notes.Concat(fit.Names.Notes)) yield return note;
        if (fit.OtherHead is { } head) yield return head;
        if (fit.Foreign.Count > 0)
            yield return $"{StateNames.Counted(fit.Foreign.Count, "tensor")} that {fit.Network.Name} does not have left out: "
                + string.Join(", ", fit.Foreign.Take(Shown).Select(entry => ShownText.Of(entry.Name)))
                + (fit.Foreign.Count > Shown ? ", ..." : "");
        var converted = read.Where(tensor => tensor.Type.IsFloatingPoint() && tensor.Type != DType.Float32)
            .Select(tensor => tensor.Type.ToString().ToLowerInvariant()).Distinct().ToList();
        var widened = fit.Found.Values.Select(entry => entry.ElementType)
            .Where(type => type.Contains("float8", StringComparison.Ordinal) || type.StartsWith("F8_", StringComparison.Ordinal))
            .Distinct();
        string[] kinds = [.. converted, .. widened];
        if (kinds.Length > 0) yield return $"converted to float32 from {string.Join(", ", kinds)}";
    }
}
