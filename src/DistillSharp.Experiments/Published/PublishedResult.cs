using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Registry;

namespace DistillSharp.Experiments.Published;

/// <summary>An accuracy on CIFAR-100 that a paper or its authors' code published.</summary>
/// <param name="Method">The method's registered name.</param>
/// <param name="Standardized">Whether with standardized logits.</param>
/// <param name="Teacher">The teacher's network.</param>
/// <param name="Student">The student's network.</param>
/// <param name="Acc1">Top-1 accuracy in percent.</param>
/// <param name="Epoch">Which epoch's it is: <c>last</c>, <c>best</c> (on the test set) or <c>not said</c>.</param>
/// <param name="Source">The key of its source in <see cref="PublishedResults.Sources"/>.</param>
public sealed record PublishedResult(
    string Method, bool Standardized, string Teacher, string Student, double Acc1, string Epoch, string Source)
{
    /// <summary>The method as a table names it.</summary>
    public string Label => PaperTable.MethodLabel(Method) + (Standardized ? " standardized" : "");

    /// <summary>The pair as a table names it.</summary>
    public string Pair => $"{Teacher} → {Student}";

    /// <summary>What our runs of this method and pair say; null where there is none.</summary>
    public CellResult? Ours(IEnumerable<RunSummary> runs)
    {
        // The public comparison's protocol is that of the paper's table 3.
        var paper = new PaperResult(3, "cifar100", Teacher, Student, Method, null, null, Acc1, null);
        var own = CellResult.Of(paper, runs.Where(IsOfThisForm));
        return own is null ? null : own with { Departures = [.. own.Departures.Where(IsAnother)] };
    }

    bool IsOfThisForm(RunSummary run) => run.Settings.GetValueOrDefault("methods[0].standardize") == "true" == Standardized;

    static bool IsAnother(string departure) => !departure.StartsWith("standardize ", StringComparison.Ordinal);
}

/// <summary>
/// Published accuracies on CIFAR-100 of the eleven pairs of the public comparison. They are data (<c>cifar100.csv</c>), never
/// measured by this project, and no part of the paper's tables.
/// </summary>
public static class PublishedResults
{
    const string Resource = "DistillSharp.Experiments.cifar100.csv", SourceMark = "# source ";

    /// <summary>The sources by their keys, as a table cites them.</summary>
    public static IReadOnlyDictionary<string, string> Sources { get; }

    /// <summary>All results, in the order of their sources.</summary>
    public static IReadOnlyList<PublishedResult> All { get; }

    static PublishedResults()
    {
        var lines = PaperResults.Lines(Resource);
        Sources = lines.Where(line => line.StartsWith(SourceMark, StringComparison.Ordinal))
            .Select(line => line[SourceMark.Length..].Split(": ", 2)).ToDictionary(source => source[0], source => source[1]);
        All = [.. PaperResults.Rows(lines).Select(line => line.Split(',')).Select(f => new PublishedResult(
            f[0], f[1] == "standardize", f[2], f[3], double.Parse(f[4], CultureInfo.InvariantCulture), f[5], f[6]))];
    }
}
