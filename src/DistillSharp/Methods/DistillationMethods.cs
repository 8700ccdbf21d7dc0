namespace DistillSharp.Methods;

/// <summary>The methods that come with the library, by name.</summary>
public static class DistillationMethods
{
    static readonly Registry<Func<DistillationMethod>> builtIn = All().Close();

    /// <summary>The names of all methods, sorted.</summary>
    public static IReadOnlyCollection<string> Names => builtIn.Names;

    /// <inheritdoc cref="Create(Registry{Func{DistillationMethod}}, string)"/>
    public static DistillationMethod Create(string name) => builtIn.Create(name);

    /// <summary>Makes a method with its default settings.</summary>
    /// <param name="methods">The methods that there are.</param>
    /// <param name="name">The name of one of them.</param>
    /// <exception cref="UsageException">There is no method of that name.</exception>
    public static DistillationMethod Create(this Registry<Func<DistillationMethod>> methods, string name) => methods[name]();

    internal static Registry<Func<DistillationMethod>> All()
    {
        var methods = new Registry<Func<DistillationMethod>>("method");
        Func<DistillationMethod>[] known =
        [
            () => new At(), () => new CrossEntropy(), () => new Crd(), () => new Dist(), () => new Dkd(), () => new FitNet(),
            () => new Fsecd(), () => new Kd(), () => new Mlld(), () => new Nst(), () => new Ofd(), () => new Pkt(),
            () => new ReviewKd(), () => new Rkd(), () => new SimKd(), () => new Sp(), () => new Srrl(), () => new Vid(),
        ];
        foreach (var make in known)
            using (var method = make()) methods.Add(method.Name, make);
        return methods;
    }
}
