using DistillSharp.Models;

namespace DistillSharp.Methods;

/// <summary>
/// What a student is trained on: cross-entropy and any methods beside it, L = w_ce L_ce + sum_m w_m L_m. As a module it holds
/// the methods' parameters and state, each under its method's name; a method that is listed twice, with other settings, is named
/// by its place among its like the second time, <c>fsecd-2</c>, in the state as in the terms.
/// </summary>
public sealed class Objective : Module
{
    readonly DistillationMethod[] methods;
    readonly string[] names;
    readonly CrossEntropy? unweighted;

    /// <param name="methods">The methods beside cross-entropy.</param>
    /// <param name="crossEntropyWeight">The factor of cross-entropy; null for the smallest that methods ask for (KD 0.1, others 1).</param>
    /// <param name="labelSmoothing">The share of each label that cross-entropy spreads over all classes, where no method says it.</param>
    public Objective(IEnumerable<DistillationMethod> methods, double? crossEntropyWeight = null, double labelSmoothing = 0)
    {
        var given = methods.ToArray();
        var own = given.OfType<CrossEntropy>().FirstOrDefault();
        var crossEntropy = own ?? new CrossEntropy { Weight = crossEntropyWeight ?? AskedFor(given), LabelSmoothing = labelSmoothing };
        if (own is null && crossEntropyWeight is null) unweighted = crossEntropy;
        this.methods = [.. given.Where(method => method != crossEntropy).Prepend(crossEntropy).Where(method => method.Weight != 0)];
        if (this.methods.Length == 0) throw new UsageException("every term of the loss has the weight 0: there is nothing to train on");
        names = [.. Names(this.methods)];
        foreach (var (name, method) in names.Zip(this.methods)) Child(name, method);
    }

    /// <summary>Cross-entropy and the methods, as far as their weight is not 0.</summary>
    public IReadOnlyList<DistillationMethod> Methods => methods;

    /// <summary>What the methods need of the student.</summary>
    public Features StudentFeatures => methods.Aggregate(Features.Logits, (all, method) => all | method.StudentFeatures);

    /// <summary>What the methods need of the teacher; null when none needs a teacher.</summary>
    public Features? TeacherFeatures => methods.Aggregate((Features?)null, (all, method) =>
        method.TeacherFeatures is { } needed ? (all ?? Features.Logits) | needed : all);

    /// <summary>The first method that asks for two views of each image; null where none does.</summary>
    internal DistillationMethod? OfTwoViews => methods.FirstOrDefault(method => method.NeedsSecondView);

    /// <summary>Whether a method uses the teacher's logits.</summary>
    public bool UsesTeacherLogits => methods.Any(method => method.TeacherFeatures is not null && method.UsesTeacherLogits);

    /// <summary>Prepares every method for a pair.</summary>
    /// <returns>Lines for the log.</returns>
    /// <exception cref="UserException">A method cannot serve the pair.</exception>
    public IReadOnlyList<string> Bind(DistillationPair pair)
    {
        foreach (var method in methods)
        {
            Check(method, method.StudentFeatures, pair.Student, "student",
                "shows none; a network shows them by FeatureTap.Pooled", "shows none; a network shows them by FeatureTap.Stage");
            // A network from elsewhere may show less than those of this library.
            Check(method, method.TeacherFeatures ?? Features.Logits, pair.Teacher, "teacher",
                "has none to show; a TorchScript teacher shows them by returning (logits, pooled)",
                "has none to show, as no TorchScript or ONNX file has; take a network of this library, or a method on logits or pooled "
                + "features");
        }
        string[] lines = [.. methods.SelectMany(method => method.Bind(pair))];
        // What a method asks for may depend on the pair, as KD's weights do.
        if (unweighted is not null) unweighted.Weight = AskedFor(methods.Where(method => method != unweighted));
        return lines;
    }

    /// <summary>The network that is measured, kept and exported after training: the student with what methods add to it.</summary>
    public Classifier Deployed(Classifier student) => methods.Aggregate(student, (network, method) => method.Deployed(network));

    static void Check(DistillationMethod method, Features needed, PairMember network, string role, string noPooled, string noStages)
    {
        if (needed.HasFlag(Features.Pooled) && network.Shapes.PooledWidth == 0)
            throw new UserException($"{method.Name} needs the {role}'s pooled features, and {network.Name} {noPooled}");
        if ((needed & (Features.Stages | Features.PreActivations)) != 0 && network.Shapes.Stages.Count == 0)
            throw new UserException($"{method.Name} needs the stages of the {role}, and {network.Name} {noStages}");
    }

    static double AskedFor(IEnumerable<DistillationMethod> methods) =>
        methods.Select(method => method.CrossEntropyWeight).DefaultIfEmpty(1).Min();

    /// <summary>The weighted terms of a step; their sum is the loss.</summary>
    public IReadOnlyList<LossTerm> Compute(DistillationStep step) =>
        [.. names.Zip(methods).SelectMany(entry => Compute(entry.Second, step).Select(term => Weighted(entry.First, entry.Second, term)))];

    static IEnumerable<LossTerm> Compute(DistillationMethod method, DistillationStep step) =>
        !step.Peers.FeaturesMeet || !method.ComparesImages ? method.Compute(step)
            : method.Compute(step.Whole(method.StudentFeatures, method.TeacherFeatures ?? Features.Logits))
                .Select(term => term with { OfWholeBatch = true });

    static LossTerm Weighted(string name, DistillationMethod method, LossTerm term) => new(
        name == method.Name ? term.Name
            : term.Name.StartsWith(method.Name, StringComparison.Ordinal) ? name + term.Name[method.Name.Length..]
            : $"{name}.{term.Name}",
        method.Weight == 1 ? term.Value : term.Value * method.Weight)
    { OfWholeBatch = term.OfWholeBatch };

    static IEnumerable<string> Names(DistillationMethod[] methods)
    {
        var seen = new Dictionary<string, int>();
        foreach (var method in methods)
        {
            var count = seen[method.Name] = seen.GetValueOrDefault(method.Name) + 1;
            yield return count == 1 ? method.Name : $"{method.Name}-{count}";
        }
    }
}
