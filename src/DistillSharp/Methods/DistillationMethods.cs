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
        methods.Add("at", () => new At());
        methods.Add("ce", () => new CrossEntropy());
        methods.Add("crd", () => new Crd());
        methods.Add("dist", () => new Dist());
        methods.Add("dkd", () => new Dkd());
        methods.Add("fitnet", () => new FitNet());
        methods.Add("fsecd", () => new Fsecd());
        methods.Add("kd", () => new Kd());
        methods.Add("mlld", () => new Mlld());
        methods.Add("nst", () => new Nst());
        methods.Add("ofd", () => new Ofd());
        methods.Add("pkt", () => new Pkt());
        methods.Add("reviewkd", () => new ReviewKd());
        methods.Add("rkd", () => new Rkd());
        methods.Add("simkd", () => new SimKd());
        methods.Add("sp", () => new Sp());
        methods.Add("srrl", () => new Srrl());
        methods.Add("vid", () => new Vid());
        return methods;
    }
}
