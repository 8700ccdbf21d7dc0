namespace DistillSharp.Models;

/// <summary>
/// Several networks as one: the logits are the mean of theirs, weighted by a share of each. It has logits only, so that methods on
/// features cannot follow it. You, Xu, Xu, Tao: Learning from Multiple Teacher Networks, KDD 2017.
/// </summary>
public sealed class Ensemble : Classifier
{
    readonly (Classifier Network, double Share)[] members;

    /// <summary>The networks.</summary>
    internal IEnumerable<Classifier> Members => members.Select(member => member.Network);

    /// <param name="members">The networks, which become parts and are disposed of with it, and how much each counts.</param>
    /// <exception cref="UsageException">There is none, a share is not above 0, or they tell different classes apart.</exception>
    public Ensemble(params IReadOnlyList<(Classifier Network, double Share)> members)
        : base(NameOf(members), members[0].Network.Classes, members[0].Network.Input)
    {
        foreach (var (network, share) in members)
        {
            if (!(share > 0) || !double.IsFinite(share))
                throw new UsageException($"the share of {network.Name} is {share}; it must be above 0");
            if (network.Classes != Classes)
                throw new UsageException($"{members[0].Network.Name} tells {Classes} classes apart and {network.Name} "
                    + $"{network.Classes}: they cannot teach together");
        }
        var sum = members.Sum(member => member.Share);
        this.members = [.. members.Select((member, i) => (Child($"{i}", member.Network), member.Share / sum))];
    }

    protected override Tensor Compute(Tensor images, FeatureTap tap) =>
        members.Select(member => member.Network.Forward(images).Logits.To(DType.Float32) * member.Share)
            .Aggregate((sum, logits) => sum + logits);

    static string NameOf(IReadOnlyList<(Classifier Network, double Share)> members) => members.Count > 0
        ? string.Join('+', members.Select(member => member.Network.Name))
        : throw new UsageException("an ensemble has at least one network");
}
