using DistillSharp.Torch;

namespace DistillSharp.Models;

/// <summary>Makes a network.</summary>
/// <param name="name">The name it was asked for by.</param>
/// <param name="classes">Number of classes.</param>
public delegate Classifier NetworkFactory(string name, int classes);

/// <summary>Names and how to make what they stand for.</summary>
public sealed class NetworkRegistry
{
    readonly SortedDictionary<string, NetworkFactory> factories = new(StringComparer.Ordinal);

    /// <summary>All names, sorted.</summary>
    public IReadOnlyCollection<string> Names => factories.Keys;

    /// <summary>Adds a network.</summary>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public void Add(string name, NetworkFactory factory) => factories.Add(name, factory);

    internal NetworkFactory this[string name] => factories.TryGetValue(name, out var factory)
        ? factory
        : throw new UsageException($"there is no network '{name}'; the networks are {string.Join(", ", factories.Keys)}{Nearest.Hint(name, factories.Keys)}");
}

/// <summary>All networks by name.</summary>
public static class Networks
{
    static readonly NetworkRegistry registry = BuiltIn();

    static NetworkRegistry BuiltIn()
    {
        var networks = new NetworkRegistry();
        MobileNetV1.Register(networks);
        MobileNetV2.Register(networks);
        ResNet.Register(networks);
        ShuffleNetV1.Register(networks);
        ShuffleNetV2.Register(networks);
        Vgg.Register(networks);
        WideResNet.Register(networks);
        return networks;
    }

    /// <summary>The names of all networks, sorted.</summary>
    public static IReadOnlyCollection<string> Names => registry.Names;

    /// <summary>Adds a network of your own; recipes can name it from then on.</summary>
    public static void Register(string name, NetworkFactory factory) => registry.Add(name, factory);

    /// <summary>Makes a network with fresh weights, drawn by libtorch's generator.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Seeds the generator first where it is given.</param>
    /// <exception cref="UsageException">There is no network of that name.</exception>
    public static Classifier Create(string name, int classes, ulong? seed = null)
    {
        var factory = registry[name];
        if (seed is { } value) Runtime.Seed(value);
        return factory(name, classes);
    }
}
