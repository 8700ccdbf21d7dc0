namespace DistillSharp.Models;

/// <summary>Makes a network.</summary>
/// <param name="name">The name it was asked for by.</param>
/// <param name="classes">Number of classes.</param>
public delegate Classifier NetworkFactory(string name, int classes);

/// <summary>The networks that come with the library, by name.</summary>
public static class Networks
{
    static readonly Registry<NetworkFactory> builtIn = All().Close();

    /// <summary>The names of all networks, sorted.</summary>
    public static IReadOnlyCollection<string> Names => builtIn.Names;

    /// <inheritdoc cref="Create(Registry{NetworkFactory}, string, int, ulong?)"/>
    public static Classifier Create(string name, int classes, ulong? seed = null) => builtIn.Create(name, classes, seed);

    /// <summary>Makes a network with fresh weights, drawn by libtorch's generator.</summary>
    /// <param name="networks">The networks that there are.</param>
    /// <param name="name">The name of one of them, or of two as <c>STUDENT+TEACHER</c> for a <see cref="ReusedClassifier"/>.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="seed">Seeds the generator first where it is given.</param>
    /// <exception cref="UsageException">There is no network of that name.</exception>
    public static Classifier Create(this Registry<NetworkFactory> networks, string name, int classes, ulong? seed = null)
    {
        var factories = Array.ConvertAll(name.Split('+', 2), part => networks[part]);
        if (seed is { } value) Runtime.Seed(value);
        if (factories is [var factory]) return factory(name, classes);
        var (student, teacher) = (name[..name.IndexOf('+')], name[(name.IndexOf('+') + 1)..]);
        using var form = factories[1](teacher, classes);
        return ReusedClassifier.Of(factories[0](student, classes), form);
    }

    internal static Registry<NetworkFactory> All()
    {
        var networks = new Registry<NetworkFactory>("network");
        ConvNext.Register(networks);
        networks.Add("densenet121", (name, classes) => new DenseNet(name, classes, 6, 12, 24, 16));
        networks.Add("mobilenet_v1", (name, classes) => new MobileNetV1(name, classes));
        networks.Add("mobilenet_v2_half", (name, classes) => new MobileNetV2(name, classes));
        MobileNetwork.Register(networks);
        ResNet.Register(networks);
        networks.Add("shufflenet_v1", (name, classes) => new ShuffleNetV1(name, classes));
        networks.Add("shufflenet_v2", (name, classes) => new ShuffleNetV2(name, classes));
        Vgg.Register(networks);
        VggBn.Register(networks);
        networks.Add("vit_b_16", (name, classes) =>
            new VisionTransformer(name, classes, side: 224, patch: 16, depth: 12, heads: 12, width: 768));
        WideResNet.Register(networks);
        return networks;
    }
}
