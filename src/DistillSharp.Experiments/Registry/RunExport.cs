using System.Text.Json;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Registry;

/// <summary>Runs as CSV (RFC 4180) and as JSON, for a spreadsheet or a program.</summary>
public static class RunExport
{
    static readonly (string Name, Func<RunSummary, object?> Value)[] columns =
    [
        ("name", r => r.Name),
        ("state", r => r.State.ToString().ToLowerInvariant()),
        ("dataset", r => r.Manifest.Dataset),
        ("teacher", r => r.Manifest.Teacher),
        ("student", r => r.Manifest.Student),
        ("method", r => r.Manifest.MethodLabel),
        ("policy", r => r.Manifest.Policy),
        ("seed", r => r.Manifest.Seed),
        ("epochs", r => r.Manifest.Epochs),
        ("epochs_done", r => r.EpochsDone),
        ("batch", r => r.Manifest.Batch),
        ("precision", r => r.Manifest.Precision),
        ("device", r => r.Manifest.Device),
        ("train_images", r => r.Manifest.TrainImages),
        ("test_images", r => r.Manifest.TestImages),
        ("parameters", r => r.Manifest.Parameters),
        ("acc1", r => r.FinalAcc1),
        ("acc5", r => r.FinalAcc5),
        ("best_acc1", r => r.BestAcc1),
        ("best_epoch", r => r.BestEpoch),
        ("images_per_second", r => r.ImagesPerSecond),
        ("seconds", r => r.Seconds),
        ("created", r => Time(r.Manifest.Created)),
        ("finished", r => r.Manifest.Finished is { } end ? Time(end) : null),
        ("failure", r => r.Manifest.Failure),
        ("cpu", r => r.Manifest.Machine?.Cpu),
        ("cores", r => r.Manifest.Machine?.Cores),
        ("threads", r => r.Manifest.Threads),
        ("memory_bytes", r => r.Manifest.Machine?.MemoryBytes),
        ("distillsharp", r => r.Manifest.Versions?.DistillSharp),
        ("libtorch", r => r.Manifest.Versions?.Libtorch),
        ("recipe_digest", r => r.Manifest.RecipeDigest),
        ("path", r => r.Path),
        ("teacher_acc1", r => r.Manifest.TeacherAcc1),
        ("teacher_images", r => r.Manifest.TeacherImages),
    ];

    /// <summary>What is known of one run, by the names of the CSV's columns; what is not known is left out.</summary>
    public static IReadOnlyList<(string Name, string Value)> Fields(RunSummary run) =>
        [.. columns.Select(c => (c.Name, Value: c.Value(run) is double number ? number.ToString("0.##", CultureInfo.InvariantCulture)
            : $"{c.Value(run)}")).Where(field => field.Value.Length > 0)];

    /// <summary>One line per run under a line of column names.</summary>
    public static string ToCsv(IEnumerable<RunSummary> runs) =>
        Csv.Of(columns.Select(c => c.Name), runs.Select(run => columns.Select(c => c.Value(run))));

    /// <summary>An array of objects: the columns of the CSV, and the recipe's settings under <c>settings</c>.</summary>
    public static string ToJson(IEnumerable<RunSummary> runs) => Json.Write(runs.Select(Described));

    /// <summary>One run as an object, with its epochs under <c>metrics</c>.</summary>
    public static string ToJson(RunSummary run, IReadOnlyList<EpochMetrics> metrics)
    {
        var described = Described(run);
        described["metrics"] = metrics.Select(epoch => JsonSerializer.SerializeToElement(epoch, RunJson.Default.EpochMetrics));
        return Json.Write(described);
    }

    /// <summary>A comparison: the runs under <c>runs</c>, the settings in which they differ under <c>differences</c>.</summary>
    public static string ToJson(RunComparison comparison) => Json.Write(new
    {
        Runs = comparison.Runs.Select(Described),
        Differences = comparison.Differences.ToDictionary(difference => difference.Path, difference => difference.Values),
        comparison.SameMachine, comparison.SameVersions,
    });

    /// <summary>One line per epoch of one run under a line of column names, a column per loss term.</summary>
    public static string ToCsv(IReadOnlyList<EpochMetrics> metrics)
    {
        var terms = metrics.SelectMany(m => m.Terms.Keys).Distinct().Order(StringComparer.Ordinal).ToArray();
        return Csv.Of(["epoch", "step", "acc1", "acc5", "loss", .. terms, "lr", "images_per_second", "seconds"],
            metrics.Select(m => (object?[])[m.Epoch, m.Step, m.Acc1, m.Acc5, m.Loss,
                .. terms.Select(t => (object?)(m.Terms.TryGetValue(t, out var value) ? value : null)),
                m.Lr, m.ImagesPerSecond, m.Seconds]));
    }

    static OrderedDictionary<string, object?> Described(RunSummary run) => new(
        columns.Select(column => KeyValuePair.Create(column.Name, column.Value(run))).Append(new("settings", run.Settings)));

    static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
