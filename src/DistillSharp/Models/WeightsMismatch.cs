using DistillSharp.Formats.Files;
using DistillSharp.Formats.Tensors;

namespace DistillSharp.Models;

/// <summary>Says why weights do not fit a network: a summary and a line for each kind of trouble, the whole list on demand.</summary>
static class WeightsMismatch
{
    const int Shown = 3;

    public static UserException Report(WeightsFit fit, string source)
    {
        var kinds = Kinds(fit).Where(kind => kind.Items.Count > 0).ToList();
        var lines = kinds.Select(kind => $"{kind.Name}: {string.Join(", ", kind.Items.Take(Shown))}"
            + (kind.Items.Count > Shown ? $" and {kind.Items.Count - Shown} more" : ""));
        return new UserException(string.Join("\n  ", [$"{source}: {Summary(fit)}", .. lines, .. Causes(fit)]))
        {
            Details = string.Join("\n", kinds.SelectMany(kind => kind.Items.Select(item => $"{kind.Name}: {item}"))),
        };
    }

    static string Summary(WeightsFit fit)
    {
        var removed = string.Concat(fit.Names.Wrappers.Select(wrapper => wrapper + ".")) + fit.Prefix;
        return $"these weights do not fit {fit.Network.Name} with {fit.Network.Classes} classes: {fit.Fitting} of {fit.Needed} names fit"
            + (removed.Length > 0 ? $" after removing {ShownText.Of(removed)}" : "");
    }

    static IEnumerable<(string Name, List<string> Items)> Kinds(WeightsFit fit)
    {
        yield return ("missing", [.. fit.Missing.Select(name => $"{name} {Shape(fit.State[name].Shape)}")]);
        yield return ("of another shape",
            [.. fit.Misshapen.Select(name => $"{name} is {Shape(fit.Found[name].Shape)}, the network has {Shape(fit.State[name].Shape)}")]);
        yield return ("unexpected", Names(fit.Unexpected));
        // Beside a network that is there, what is foreign is no trouble.
        yield return ("foreign", fit.Missing.Count > 0 ? Names(fit.Foreign) : []);
    }

    static List<string> Names(List<(string Name, TensorEntry Tensor)> tensors) =>
        [.. tensors.Select(entry => $"{ShownText.Of(entry.Name)} {Shape(entry.Tensor.Shape)}")];

    static IEnumerable<string> Causes(WeightsFit fit)
    {
        if (fit.Names.Cause is { } cause) yield return cause;
        // The classifier alone is of another shape, and only in its first size.
        if (fit.Misshapen.Count > 0 && fit.Missing.Count == 0 && fit.Misshapen.All(fit.IsOtherHead))
            yield return $"they are for {fit.Found[fit.Misshapen[0]].Shape[0]} classes, the network has {fit.Network.Classes}";
        else if (Nearest(fit) is { Length: > 0 } nearest)
            yield return $"the names that come nearest: {nearest}; the network is another one's implementation, or another network";
    }

    /// <summary>Parts of names that stand where the network has others: <c>shortcut for downsample</c>.</summary>
    static string Nearest(WeightsFit fit)
    {
        var others = fit.Unexpected.Concat(fit.Foreign).ToList();
        // By shape first: the same layer under another name has the same.
        var byShape = others.ToLookup(entry => Shape(entry.Tensor.Shape));
        var pairs = new List<string>();
        foreach (var name in fit.Missing.Take(200))
        {
            var parts = name.Split('.');
            var best = byShape[Shape(fit.State[name].Shape)].Take(50)
                .Select(entry => entry.Name.StartsWith(fit.Prefix, StringComparison.Ordinal) ? entry.Name[fit.Prefix.Length..] : entry.Name)
                .Select(name => name.Split('.'))
                .Where(other => other.Length == parts.Length)
                .Select(other => (Parts: other, Same: other.Zip(parts).Count(pair => pair.First == pair.Second)))
                .OrderByDescending(entry => entry.Same).FirstOrDefault();
            if (best.Parts is null || best.Same < parts.Length - 1) continue;
            var pair = best.Parts.Zip(parts).FirstOrDefault(pair => pair.First != pair.Second);
            if (pair.First is null) continue;
            var said = $"{ShownText.Of(pair.First)} for {pair.Second}";
            if (!pairs.Contains(said)) pairs.Add(said);
            if (pairs.Count == Shown) break;
        }
        return string.Join(", ", pairs);
    }

    public static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";
}
