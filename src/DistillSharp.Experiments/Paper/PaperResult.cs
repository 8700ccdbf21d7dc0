namespace DistillSharp.Experiments.Paper;

/// <summary>One result of the paper's tables.</summary>
/// <param name="Table">The table's number, 2 to 5.</param>
/// <param name="Dataset"><c>cifar100</c> or <c>imagenet</c>.</param>
/// <param name="Teacher">The teacher's network.</param>
/// <param name="Student">The student's network.</param>
/// <param name="Method">The method's registered name; <c>ce</c> for the student alone.</param>
/// <param name="Policy">FSECD's positive pairs, <c>instance</c> or <c>class</c>; null for the other methods.</param>
/// <param name="Batch">The batch size where the table compares them (table 2); null elsewhere.</param>
/// <param name="Acc1">Top-1 accuracy in percent.</param>
/// <param name="Acc5">Top-5 accuracy in percent, in table 5.</param>
public sealed record PaperResult(
    int Table, string Dataset, string Teacher, string Student, string Method, string? Policy, int? Batch, double Acc1, double? Acc5)
{
    /// <summary>The batch size it was trained with: given in table 2; elsewhere 64, 128 for FSECD and 256 for ImageNet.</summary>
    public int BatchSize => Batch ?? (Dataset == "imagenet" ? 256 : Method == "fsecd" ? 128 : 64);
}

/// <summary>
/// The results of the paper: Ye Feng, Chen Biao, Lai Yizong. Contrastive Knowledge Distillation Method Based on Feature
/// Space Embedding. Journal of South China University of Technology (Natural Science), 2023, 51(5): 13-23,
/// doi 10.12141/j.issn.1000-565X.220684. They are data (<c>paper-tables.csv</c>), never measured by this project.
/// </summary>
public static class PaperResults
{
    const string Resource = "DistillSharp.Experiments.paper-tables.csv";

    /// <summary>The source, as a table cites it.</summary>
    public const string Source =
        "Ye Feng, Chen Biao, Lai Yizong. Contrastive Knowledge Distillation Method Based on Feature Space Embedding. "
        + "Journal of South China University of Technology (Natural Science), 2023, 51(5): 13-23. doi 10.12141/j.issn.1000-565X.220684";

    /// <summary>The numbers of the paper's tables of results.</summary>
    public static IReadOnlyList<int> Tables { get; } = [2, 3, 4, 5];

    /// <summary>All 131 results, in the order of the tables.</summary>
    public static IReadOnlyList<PaperResult> All { get; } = [.. Rows(Lines(Resource)).Select(Read)];

    static PaperResult Read(string line)
    {
        var f = line.Split(',');
        return new(int.Parse(f[0], CultureInfo.InvariantCulture), f[1], f[2], f[3], f[4], f[5].Length == 0 ? null : f[5],
            f[6].Length == 0 ? null : int.Parse(f[6], CultureInfo.InvariantCulture), double.Parse(f[7], CultureInfo.InvariantCulture),
            f[8].Length == 0 ? null : double.Parse(f[8], CultureInfo.InvariantCulture));
    }

    /// <summary>The lines of a table that comes with this assembly, its remarks (<c>#</c>) and its head left out.</summary>
    internal static IEnumerable<string> Rows(IEnumerable<string> lines) => lines.Where(line => line.Length > 0 && line[0] != '#').Skip(1);

    /// <summary>The lines of a file that comes with this assembly.</summary>
    internal static string[] Lines(string resource)
    {
        using var stream = typeof(PaperResults).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"the resource {resource} is missing from the assembly");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n');
    }
}
