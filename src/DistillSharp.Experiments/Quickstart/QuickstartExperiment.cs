using DistillSharp.Experiments.Execution;
using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Paper;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Report;
using DistillSharp.Interop;

namespace DistillSharp.Experiments.Quickstart;

/// <summary>One line of the quickstart's table.</summary>
/// <param name="Method">How it was trained.</param>
/// <param name="Result">What came of it.</param>
public sealed record QuickstartRow(string Method, ExperimentResult Result);

/// <summary>
/// The main job on an embedded example: a teacher that has seen all of Fashion-MNIST, and the same small student, which sees
/// few of its images, trained three times: on the labels alone, by KD and by FSECD.
/// </summary>
/// <param name="dataRoot">The folder of Fashion-MNIST's four IDX files.</param>
/// <param name="runsRoot">The folder of all runs.</param>
/// <param name="observer">Watches the runs.</param>
public sealed class QuickstartExperiment(string dataRoot, string runsRoot, TrainingObserver observer)
{
    /// <summary>Where Debian's package dataset-fashion-mnist puts its files.</summary>
    public const string DebianData = "/usr/share/datasets/fashion-mnist";

    /// <summary>The name of the page in the folder of all runs.</summary>
    public const string ReportName = "report.html";

    const int MapPoints = 1000;
    const string TeacherRun = "quickstart-teacher";
    static readonly string[] methods = ["ce", "kd", "fsecd"];

    /// <summary>Trains the teacher, unless it is there already, and the three students.</summary>
    /// <param name="seed">The students' seed.</param>
    /// <param name="overrides">Values of the students' recipes, as <c>path=value</c>.</param>
    /// <param name="stop">Ends the run under way after its step, with a checkpoint.</param>
    /// <returns>The teacher's line and the three students'; fewer when it was stopped.</returns>
    /// <exception cref="UserException">The data is missing, or a run fails.</exception>
    public IReadOnlyList<QuickstartRow> Run(long seed = 1, IReadOnlyList<string>? overrides = null, CancellationToken stop = default)
    {
        var rows = new List<QuickstartRow>();
        var trained = Parse("teacher", []);
        observer.Said($"The teacher: {Means(trained)} (trained once and kept)");
        var teacher = Train(trained, TeacherRun, resume: true, stop);
        rows.Add(new("teacher", teacher));
        if (!teacher.Training.Completed) return rows;

        foreach (var method in methods)
        {
            string[] taught = method == "ce" ? [] : [$"teacher.weights={Path.Combine(teacher.Folder, StudentFile.FileName)}"];
            var recipe = Parse(method, [.. taught, $"train.seed={seed}", .. overrides ?? []]);
            observer.Said($"The student by {method}: {Means(recipe)}");
            var student = Train(recipe, $"quickstart-{method}-s{seed}", resume: false, stop);
            if (!student.Training.Completed) return rows;
            rows.Add(new(method, student));
        }
        return rows;
    }

    /// <summary>Writes the students' runs as one page, <see cref="ReportName"/> in the folder of all runs.</summary>
    /// <param name="rows">What <see cref="Run"/> returned, whole.</param>
    /// <returns>The page's path.</returns>
    /// <exception cref="UserException">The data is gone, or the page cannot be written.</exception>
    public string Report(IReadOnlyList<QuickstartRow> rows)
    {
        observer.Said("The report: running the networks over the test images, drawing the maps");
        var measured = MeasuredRuns.Load([.. rows.Skip(1).Select(row => row.Result.Folder)]);
        var path = Path.Combine(runsRoot, ReportName);
        new RunReport
        {
            Title = "Quickstart: one student, three ways to train it", Runs = measured.Runs, Images = measured.Images,
            MapPoints = MapPoints
        }.Save(path);
        return path;
    }

    Recipe Parse(string file, IReadOnlyList<string> overrides) =>
        Recipe.Parse(Text(file), $"recipes/quickstart/{file}.yaml", [$"data.root={dataRoot}", .. overrides]);

    ExperimentResult Train(Recipe recipe, string name, bool resume, CancellationToken stop) =>
        new Experiment(recipe, runsRoot, observer) { KnownTeacher = TeacherCard.TrainingOf }.Run(name, resume, exactName: false, stop);

    static string Means(Recipe recipe) =>
        $"{recipe.Student.Network} on {(recipe.Data.TrainLimit is { } limit ? $"{limit:N0} images" : "all images")}";

    static string Text(string recipe)
    {
        using var stream = typeof(QuickstartExperiment).Assembly.GetManifestResourceStream($"quickstart.{recipe}.yaml")!;
        return new StreamReader(stream).ReadToEnd();
    }
}
