using DistillSharp.Formats;

namespace DistillSharp.Models;

/// <summary>A network whose whole state is in a file of weights.</summary>
/// <param name="Network">Its name.</param>
/// <param name="Classes">For how many classes the weights are.</param>
/// <param name="Key">Where they lie in the file; empty for the file's own names.</param>
/// <param name="Prefix">What stands before the network's names; empty for nothing.</param>
public sealed record NetworkMatch(string Network, int Classes, string Key, string Prefix)
{
    // No layer but the last has such a size, so it finds the last.
    internal const int UnlikelyClasses = 1009;

    /// <summary>Groups with fewer tensors hold no network, but an optimizer's state.</summary>
    const int MinTensors = 8;

    const int MaxGroups = 8;

    /// <summary>All networks whose state a file holds, in the order of their names.</summary>
    /// <param name="networks">The networks that there are.</param>
    /// <param name="content">What the file holds.</param>
    public static IReadOnlyList<NetworkMatch> In(Registry<NetworkFactory> networks, WeightsContent content)
    {
        var groups = content.Likeliest.Where(group => group.Tensors.Count >= MinTensors).Take(MaxGroups).ToList();
        var matches = new List<NetworkMatch>();
        if (groups.Count == 0) return matches;
        using var unset = Initialize.Skip();
        foreach (var name in networks.Names)
        {
            using var network = networks.Create(name, UnlikelyClasses);
            var state = network.State().ToDictionary(entry => entry.Name, entry => entry.Tensor);
            OtherNames?[] namings = [null, .. network.OtherNames];
            foreach (var (group, naming) in groups.SelectMany(group => namings.Select(naming => (group, naming))))
            {
                var fit = new WeightsFit((name, UnlikelyClasses), state, group, names: naming);
                if (fit.Missing.Count > 0 || fit.Unexpected.Count > 0 || fit.Misshapen.Count == 0) continue;
                if (!fit.Misshapen.All(fit.IsOtherHead)) continue;
                var classes = fit.Misshapen.Select(own => fit.Found[own].Shape[0]).Distinct().ToList();
                if (classes is [> 0 and < int.MaxValue and var known]) matches.Add(new(name, (int)known, group.Key, fit.Prefix));
            }
        }
        return matches;
    }
}
