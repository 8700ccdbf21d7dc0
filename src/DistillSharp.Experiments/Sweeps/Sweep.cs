using System.IO.Enumeration;
using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Sweeps;

/// <summary>
/// A matrix of runs: pairs by methods by seeds by any settings, from a short YAML file.
/// <code>
/// recipe:   recipes/cifar100.yaml            # what all runs share; may be left out
/// pairs:    [resnet56-resnet20, { teacher: resnet110, student: resnet32, weights: my/resnet110.pth }]
/// teachers: teachers/{teacher}.pth           # where the teachers' weights lie
/// methods:  [ce, kd, { name: fsecd, temperature: 0.1, label: fsecd-cold, set: { data.batch: 128 } }]
/// seeds:    [1, 2, 3]
/// set:      { train.epochs: 5, data.train_limit: 5000 }
/// vary:     { train.lr: [0.05, 0.1] }        # one more dimension for each setting
/// share_teacher: false                       # let each run ask the teacher itself; left out, runs of one seed share its answers
/// </code>
/// Or, instead of pairs and methods, whole recipes: <c>recipes: [table3/*, table2/resnet32x4-*/fsecd-*, my.yaml]</c>, those of the
/// paper by name or pattern and files. Equal runs are made once: cross-entropy has no teacher, so pairs of one student share it.
/// </summary>
public sealed class Sweep
{
    const int LargestFile = 1 << 20;
    const int MaxRuns = 10_000;

    static readonly string[] keys = ["recipes", "recipe", "pairs", "teachers", "methods", "seeds", "set", "vary", "share_teacher"];
    static readonly string[] sections = ["data", "teacher", "student", "ce", "train"];

    readonly string source;
    readonly Toolkit toolkit;
    readonly string? recipe;
    readonly string teachers;
    readonly string[] common;

    Sweep(string text, string source, Toolkit toolkit, IEnumerable<string> overrides)
    {
        (this.source, this.toolkit) = (source, toolkit);
        var root = YamlValue.Parse(text, source);
        if (root.Kind != YamlKind.Mapping) throw root.Mistake("a sweep is keys with values, at least pairs and methods");
        foreach (var (key, value) in root.Entries)
            if (!keys.Contains(key)) throw value.Mistake($"a sweep has no '{ShownText.Of(key)}'{RecipeSection.HintOrList(key, keys)}");

        recipe = Text(root, "recipe");
        teachers = Text(root, "teachers") ?? "teachers/{teacher}.pth";
        common = [.. Assignments(root["set"], "set")];
        string[] last = [.. overrides];
        var bases = root["recipes"] is null ? Matrix(root) : Whole(root);
        var seeds = root["seeds"] is null ? [1] : Items(root, "seeds").ConvertAll(Seed);
        var variants = Variants(root["vary"]);
        if ((long)bases.Count * seeds.Count * variants.Count > MaxRuns)
            throw new UsageException($"{source}: the sweep has more than {MaxRuns} runs");
        Runs = Build(bases, seeds, variants, last);
        if (Flag(root, "share_teacher") ?? true) Runs = Shared(Runs);
    }

    /// <summary>The runs, each once, in the order of pairs, methods, variants and seeds.</summary>
    public IReadOnlyList<RunSpec> Runs { get; }

    /// <inheritdoc cref="Load(string, Toolkit, IEnumerable{string})"/>
    public static Sweep Load(string path, params IEnumerable<string> overrides) => Load(path, Toolkit.BuiltIn, overrides);

    /// <summary>Reads a sweep's file.</summary>
    /// <param name="path">The file. Relative paths in it start from the current folder.</param>
    /// <param name="toolkit">What its names stand for; what comes with the library where it is left out.</param>
    /// <param name="overrides">Values for every run, each as <c>path=value</c>: they go before all that the file sets.</param>
    /// <exception cref="UserException">The file or its recipe cannot be read.</exception>
    /// <exception cref="UsageException">The sweep is wrong, or a recipe of it; the message names file and line or the run.</exception>
    public static Sweep Load(string path, Toolkit toolkit, params IEnumerable<string> overrides)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > LargestFile })
                throw new UserException($"{path}: larger than 1 MB, and so no sweep");
            return new(File.ReadAllText(path, Encoding.UTF8), path, toolkit, overrides);
        }
        catch (Exception e) when (FileTrouble.Is(e) || e is ArgumentException or NotSupportedException)
        {
            throw FileTrouble.Report($"cannot read the sweep '{path}'", e);
        }
    }

    /// <summary>Reads a sweep's text.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <param name="overrides">Values for every run, each as <c>path=value</c>.</param>
    /// <exception cref="UsageException">The sweep is wrong, or a recipe of it.</exception>
    public static Sweep Parse(string text, string source = "the sweep", params IEnumerable<string> overrides) =>
        new(text, source, Toolkit.BuiltIn, overrides);

    // A point of the matrix before seeds and variants: where its recipe is from, what is set in it, and how its runs are called.
    sealed record Base(string? Recipe, string[] Assignments, string? Teacher, string? Student, string? Label);

    sealed record PairEntry(string Teacher, string Student, string? Weights);

    sealed record MethodEntry(string Label, string? Yaml, string[] Assignments);

    sealed record Variant(string Suffix, string[] Assignments);

    // Runs that show one teacher the same batches. Where there is none besides, nothing is shared, and nothing kept.
    static IReadOnlyList<RunSpec> Shared(IReadOnlyList<RunSpec> runs)
    {
        var several = runs.Where(run => run.Recipe is { Teacher: { IsAverage: false }, Train.TeacherFolder: null })
            .GroupBy(run => (run.Recipe.Teacher, run.Recipe.Train.Seed, run.Recipe.Data.Batch))
            .Where(group => group.Count() > 1).SelectMany(group => group).ToHashSet();
        return [.. runs.Select(run => several.Contains(run) ? run with { SharesTeacher = true } : run)];
    }

    static bool? Flag(YamlValue root, string key) => root[key] switch
    {
        null or { IsNull: true } => null,
        { Kind: YamlKind.Scalar, Text: "true" } => true,
        { Kind: YamlKind.Scalar, Text: "false" } => false,
        var other => throw other.Mistake($"{key} is true or false"),
    };

    List<Base> Matrix(YamlValue root)
    {
        var pairs = Items(root, "pairs").ConvertAll(Pair);
        var methods = Items(root, "methods").ConvertAll(Method);
        return [.. pairs.SelectMany(pair => methods.Select(method => new Base(recipe,
            [.. Taught(pair, method.Yaml), $"student.network={pair.Student}", .. common, .. method.Assignments],
            method.Yaml is null ? null : pair.Teacher, pair.Student, method.Label)))];
    }

    List<Base> Whole(YamlValue root)
    {
        foreach (var other in (string[])["recipe", "pairs", "methods", "teachers"])
            if (root[other] is { } stray)
                throw stray.Mistake($"a sweep has either recipes or pairs and methods; {other} cannot stand beside recipes");
        // "fsecd-class-b512" of a recipe of the paper says more than its method's name.
        return [.. Items(root, "recipes").SelectMany(Names).Distinct().Select(name => new Base(
            name, common, null, null, PaperRecipes.Names.Contains(name) ? name[(name.LastIndexOf('/') + 1)..] : null))];
    }

    static IEnumerable<string> Names(YamlValue value)
    {
        if (value.Kind != YamlKind.Scalar) throw value.Mistake("a recipe is a file or a name such as table3/resnet56-resnet20/fsecd");
        if (!value.Text.AsSpan().ContainsAny('*', '?')) return [value.Text];
        var names = PaperRecipes.Names.Where(name => FileSystemName.MatchesSimpleExpression(value.Text, name, ignoreCase: false)).ToList();
        return names.Count > 0 ? names
            : throw value.Mistake($"no recipe of the paper is named as '{ShownText.Of(value.Text)}'; try table3/*");
    }

    List<RunSpec> Build(List<Base> bases, List<long> seeds, List<Variant> variants, string[] last)
    {
        var runs = new Dictionary<string, RunSpec>();
        var names = new Dictionary<string, string>();
        foreach (var point in bases)
            foreach (var variant in variants)
                foreach (var seed in seeds)
                {
                    var spec = Spec(point, variant, seed, last);
                    if (!runs.TryAdd(spec.Digest, spec)) continue;
                    if (!names.TryAdd(spec.Name, spec.Digest))
                        throw new UsageException($"{source}: two different runs would be named '{spec.Name}'; tell their methods apart by "
                            + $"a label: {{ name: {point.Label ?? "..."}, label: ... }}");
                }
        return [.. runs.Values];
    }

    RunSpec Spec(Base point, Variant variant, long seed, string[] last)
    {
        string[] overrides =
            [.. point.Assignments, .. variant.Assignments, $"train.seed={seed.ToString(CultureInfo.InvariantCulture)}", .. last];
        try
        {
            var made = point.Recipe is { } from ? PaperRecipes.Open(from, toolkit, overrides)
                : Recipe.Parse("", source, toolkit, overrides);
            var label = (point.Label ?? string.Join('-', made.MethodNames)) + variant.Suffix;
            return new RunSpec(RunName.Suggest(made.Teacher?.Name, made.Student.Network, [label], seed), made) { Label = label };
        }
        catch (UsageException e)
        {
            var what = point.Recipe ?? string.Join('-', new[] { point.Teacher, point.Student, point.Label }.OfType<string>());
            throw new UsageException($"{source}, {what}: {e.Message}", e);
        }
    }

    string[] Taught(PairEntry pair, string? method) => method is null ? ["teacher=null", "methods=[]"]
        : [$"teacher={{ network: {pair.Teacher}, weights: {Quote(pair.Weights ?? teachers.Replace("{teacher}", pair.Teacher))} }}",
            $"methods=[{method}]"];

    static PairEntry Pair(YamlValue value)
    {
        const string must = "a pair is TEACHER-STUDENT, such as resnet56-resnet20, or { teacher: resnet56, student: resnet20 }";
        if (value.Kind == YamlKind.Scalar)
            return value.Text.Split('-') is [{ Length: > 0 } teacher, { Length: > 0 } student]
                ? new PairEntry(teacher, student, null) : throw value.Mistake($"'{ShownText.Of(value.Text)}' is no pair; {must}");
        if (value.Kind != YamlKind.Mapping) throw value.Mistake(must);
        string[] known = ["teacher", "student", "weights"];
        foreach (var (key, entry) in value.Entries)
            if (!known.Contains(key)) throw entry.Mistake($"a pair has no '{ShownText.Of(key)}'{RecipeSection.HintOrList(key, known)}");
        return new(Text(value, "teacher") ?? throw value.Mistake($"the pair has no teacher; {must}"),
            Text(value, "student") ?? throw value.Mistake($"the pair has no student; {must}"), Text(value, "weights"));
    }

    static MethodEntry Method(YamlValue value)
    {
        const string must = "a method is a name, such as kd, or { name: fsecd, temperature: 0.1 }";
        if (value.Kind == YamlKind.Sequence || value.IsNull) throw value.Mistake(must);
        if (value.Kind == YamlKind.Scalar)
            return new(value.Text, value.Text == "ce" ? null : $"{{ name: {Quote(value.Text)} }}", []);
        var name = Text(value, "name") ?? throw value.Mistake($"the method has no name; {must}");
        var settings = new YamlValue(YamlKind.Mapping, "", value.Place);
        foreach (var (key, entry) in value.Entries)
            if (key is not ("label" or "set")) settings.Set(key, entry);
        if (name == "ce" && settings.Entries.Count > 1) throw value.Mistake($"ce has no settings; its weight is set: {{ ce.weight: ... }}");
        return new(
            Text(value, "label") ?? name, name == "ce" ? null : RecipeSettings.Inline(settings), [.. Assignments(value["set"], "set")]);
    }

    static long Seed(YamlValue value) =>
        value.Kind == YamlKind.Scalar && long.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
        ? seed : throw value.Mistake("a seed is a whole number of at least 0");

    static List<Variant> Variants(YamlValue? vary)
    {
        var variants = new List<Variant> { new("", []) };
        if (vary is null || vary.IsNull) return variants;
        if (vary.Kind != YamlKind.Mapping)
            throw vary.Mistake($"vary is settings with lists of values, such as {{ train.lr: [0.05, 0.1] }}");
        foreach (var (path, values) in vary.Entries)
        {
            if (values.Kind != YamlKind.Sequence || values.Items.Count == 0)
                throw values.Mistake($"vary.{ShownText.Of(path)} is a list of values, such as [0.05, 0.1]");
            var name = path[(path.LastIndexOf('.') + 1)..];
            variants = [.. variants.SelectMany(v => values.Items.Select(value =>
                new Variant($"{v.Suffix}-{name}{RecipeSettings.Inline(value).Trim('"')}", [.. v.Assignments, Assignment(path, value)])))];
            if (variants.Count > MaxRuns) throw vary.Mistake($"the sweep has more than {MaxRuns} runs");
        }
        return variants;
    }

    // Whole sections may be given as a mapping; their keys are set one by one, so that what else the recipe says stays.
    static IEnumerable<string> Assignments(YamlValue? set, string what)
    {
        if (set is null || set.IsNull) return [];
        if (set.Kind != YamlKind.Mapping) throw set.Mistake($"{what} is settings with values, such as {{ train.epochs: 5 }}");
        return set.Entries.SelectMany(e => sections.Contains(e.Key) && e.Value.Kind == YamlKind.Mapping
            ? e.Value.Entries.Select(inner => Assignment($"{e.Key}.{inner.Key}", inner.Value)) : [Assignment(e.Key, e.Value)]);
    }

    static string Assignment(string path, YamlValue value) => $"{path}={(value.IsNull ? "null" : RecipeSettings.Inline(value))}";

    static List<YamlValue> Items(YamlValue root, string key) => root[key] switch
    {
        null => throw root.Mistake($"the sweep has no {key}"),
        { Kind: YamlKind.Sequence, Items: { Count: > 0 } items } => items,
        var other => throw other.Mistake($"{key} is a list with at least one entry"),
    };

    static string? Text(YamlValue mapping, string key) => mapping[key] switch
    {
        null or { IsNull: true } => null,
        { Kind: YamlKind.Scalar, Text: { Length: > 0 } text } => text,
        var other => throw other.Mistake($"{key} is a text"),
    };

    static string Quote(string text) => '"' + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + '"';
}
