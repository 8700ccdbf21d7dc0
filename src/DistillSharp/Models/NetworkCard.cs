namespace DistillSharp.Models;

/// <summary>A network's figures, all computed from the network itself.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Input">The size of its images.</param>
/// <param name="Parameters">Trainable values.</param>
/// <param name="Macs">Multiply-add operations for one image.</param>
/// <param name="Stages">The features of stem and stages.</param>
/// <param name="PooledWidth">Width of the features before the classifier.</param>
public sealed record NetworkCard(
    string Name, int Classes, Size2 Input, long Parameters, long Macs, IReadOnlyList<FeatureShape> Stages, long PooledWidth)
{
    const int CifarClasses = 100, ImageNetClasses = 1000, CifarSize = 32;

    /// <summary>The figures of one network.</summary>
    /// <param name="networks">The networks that there are.</param>
    /// <param name="name">Its name.</param>
    /// <param name="classes">Number of classes; null for 100 where the natural input is CIFAR's, else 1000.</param>
    public static NetworkCard Of(Registry<NetworkFactory> networks, string name, int? classes = null)
    {
        using var unset = Initialize.Skip();
        using var network = networks.Create(name, classes ?? CifarClasses);
        if (classes is null && network.Input.Natural.Height > CifarSize) return Of(networks, name, ImageNetClasses);
        NetworkShapes shapes;
        try { shapes = network.Describe(network.Input.Natural, batch: 0); }
        // A network of one's own may need an image to compute with.
        catch (TorchException) { shapes = network.Describe(); }
        return new(
            name, network.Classes, network.Input.Natural, network.ParameterCount, shapes.MultiplyAdds, shapes.Stages, shapes.PooledWidth);
    }

    /// <summary>The figures of all networks, in the order of their names.</summary>
    public static IReadOnlyList<NetworkCard> All(Registry<NetworkFactory> networks, int? classes = null) =>
        [.. networks.Names.Select(name => Of(networks, name, classes))];
}
