using DistillSharp.Experiments.Recipes;
using DistillSharp.Methods;

namespace DistillSharp.Experiments.Paper;

/// <summary>
/// The recipe of every result in the paper's tables, by a name such as <c>table3/resnet56-resnet20/fsecd</c> or
/// <c>table2/wrn_40_2-wrn_40_1/fsecd-class-b512</c>, and of the teachers they need, <c>teacher/resnet56</c>. They are made from
/// the tables' rows and the protocol of the public comparisons; where the paper's own settings are not public, a recipe has
/// this project's. Teachers are looked for as <c>teachers/NAME.pth</c>.
/// </summary>
public static class PaperRecipes
{
    static readonly Dictionary<string, PaperResult> results = PaperResults.All.ToDictionary(NameOf);
    static readonly Dictionary<string, PaperResult> teachers = PaperResults.All.DistinctBy(result => result.Teacher)
        .ToDictionary(result => $"teacher/{result.Teacher}", TeacherOf);

    /// <summary>The names of all results' recipes, in the order of the tables.</summary>
    public static IReadOnlyCollection<string> Names => results.Keys;

    /// <summary>A result's teacher as one that is trained itself, from the labels alone.</summary>
    internal static PaperResult TeacherOf(PaperResult result) =>
        result with { Method = "ce", Policy = null, Batch = null, Student = result.Teacher };

    /// <summary>The names of the teachers' recipes.</summary>
    public static IReadOnlyCollection<string> Teachers => teachers.Keys;

    /// <summary>The name of a result's recipe.</summary>
    public static string NameOf(PaperResult result) => $"table{result.Table}/{result.Teacher}-{result.Student}/{result.Method}"
        + (result is { Table: 2, Policy: { } policy } ? $"-{policy}" : "")
        + (result.Batch is { } batch ? $"-b{batch.ToString(CultureInfo.InvariantCulture)}" : "");

    /// <summary>The recipe of that name.</summary>
    /// <param name="name">One of <see cref="Names"/> or <see cref="Teachers"/>.</param>
    /// <param name="overrides">Values that replace the recipe's, each as <c>path=value</c>.</param>
    /// <exception cref="UsageException">There is none of that name, or an override is wrong.</exception>
    public static Recipe Get(string name, params IEnumerable<string> overrides) => Named(name, Toolkit.BuiltIn, overrides);

    static Recipe Named(string name, Toolkit toolkit, IEnumerable<string> overrides) => Find(name) is { } result
        ? Recipe.Parse(Text(result), name, toolkit, overrides)
        : throw new UsageException($"there is no recipe '{name}' of the paper{HintOrExample(name)}");

    /// <inheritdoc cref="Open(string, Toolkit, IEnumerable{string})"/>
    public static Recipe Open(string source, params IEnumerable<string> overrides) => Open(source, Toolkit.BuiltIn, overrides);

    /// <summary>The recipe in a file, or that of the paper of that name.</summary>
    /// <param name="source">A file's path, or a name as <see cref="Get"/> takes it; a file comes first.</param>
    /// <param name="toolkit">What the recipe's names stand for; what comes with the library where it is left out.</param>
    /// <param name="overrides">Values that replace the recipe's, each as <c>path=value</c>.</param>
    /// <exception cref="UserException">There is no such file and no such name, or the recipe is wrong.</exception>
    public static Recipe Open(string source, Toolkit toolkit, params IEnumerable<string> overrides)
    {
        if (!File.Exists(source) && Find(source) is not null) return Named(source, toolkit, overrides);
        var ofPaper = source.StartsWith("table", StringComparison.Ordinal) || source.StartsWith("teacher/", StringComparison.Ordinal);
        if (ofPaper && !Path.Exists(source) && Path.GetExtension(source).Length == 0)
            throw new UserException($"there is no recipe '{source}', neither a file nor one of the paper's{HintOrExample(source)}");
        return Recipe.Load(source, toolkit, overrides);
    }

    static PaperResult? Find(string name) => results.GetValueOrDefault(name) ?? teachers.GetValueOrDefault(name);

    static string HintOrExample(string name) => Nearest.Hint(name, [.. results.Keys, .. teachers.Keys]) is { Length: > 0 } hint
        ? hint : $"; they are named as {results.Keys.First()} or {teachers.Keys.First()}";

    // Epochs, rates and augmentation are the protocol's, which recipes have by default.
    static string Text(PaperResult result)
    {
        var imagenet = result.Dataset == "imagenet";
        var distilled = result.Method == "ce" ? "" : $$"""

            teacher: { network: {{result.Teacher}}, weights: teachers/{{result.Teacher}}.pth }
            methods: [ { {{Method(result)}} } ]
            ce: { weight: {{(result.Method == "kd" ? imagenet ? "0.5" : "0.1" : "1")}} }
            """;
        return $$"""
            data: { set: {{result.Dataset}}, root: data, batch: {{result.BatchSize}} }
            student: { network: {{result.Student}} }{{distilled}}
            train: { precision: fp32 }

            """;
    }

    // Only what differs between data sets or pairs is said; a method's other settings are the published ones by default.
    static string Method(PaperResult result)
    {
        var imagenet = result.Dataset == "imagenet";
        var settings = result.Method switch
        {
            "kd" => imagenet ? "temperature: 1, weight: 0.5" : "temperature: 4, weight: 0.9",
            "ofd" => imagenet ? "weight: 1e-4" : "weight: 1e-3",
            "dkd" => $"beta: {Dkd.PublishedBeta(result.Teacher, result.Student).ToString(CultureInfo.InvariantCulture)}, "
                + (imagenet ? "temperature: 1, warmup: 1" : "temperature: 4, warmup: 20"),
            "fsecd" => $"policy: {result.Policy}",
            _ => "",
        };
        return settings.Length == 0 ? $"name: {result.Method}" : $"name: {result.Method}, {settings}";
    }
}
