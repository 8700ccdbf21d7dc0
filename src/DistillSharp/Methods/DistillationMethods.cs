namespace DistillSharp.Methods;

/// <summary>All methods by name.</summary>
public static class DistillationMethods
{
    static readonly SortedDictionary<string, Func<DistillationMethod>> factories = new(StringComparer.Ordinal)
    {
        ["at"] = () => new At(),
        ["ce"] = () => new CrossEntropy(),
        ["crd"] = () => new Crd(),
        ["dist"] = () => new Dist(),
        ["dkd"] = () => new Dkd(),
        ["fitnet"] = () => new FitNet(),
        ["fsecd"] = () => new Fsecd(),
        ["kd"] = () => new Kd(),
        ["nst"] = () => new Nst(),
        ["ofd"] = () => new Ofd(),
        ["pkt"] = () => new Pkt(),
        ["reviewkd"] = () => new ReviewKd(),
        ["rkd"] = () => new Rkd(),
        ["sp"] = () => new Sp(),
        ["vid"] = () => new Vid(),
    };

    /// <summary>The names of all methods, sorted.</summary>
    public static IReadOnlyCollection<string> Names => factories.Keys;

    /// <summary>Adds a method of your own; recipes can name it from then on.</summary>
    public static void Register(string name, Func<DistillationMethod> factory) => factories.Add(name, factory);

    /// <summary>Makes a method with its default settings.</summary>
    /// <exception cref="UsageException">There is no method of that name.</exception>
    public static DistillationMethod Create(string name) => factories.TryGetValue(name, out var factory)
        ? factory()
        : throw new UsageException($"there is no method '{name}'; the methods are {string.Join(", ", factories.Keys)}{Nearest.Hint(name, factories.Keys)}");
}
