using System.Text.Json;
using DistillSharp.Evaluation;
using DistillSharp.Experiments.Measurement;

namespace DistillSharp.Experiments.Report;

/// <summary>
/// Runs as one HTML page that holds everything it needs and asks no network for anything: table, training curves, t-SNE with
/// the images, accuracy by class, the student's mistakes, correlation and confusion, recipes.
/// </summary>
public sealed record RunReport
{
    const int ThumbnailSide = 32, ExampleSide = 96, CommonConfusions = 12;

    /// <summary>The page's title; made of the runs' names when null.</summary>
    public string? Title { get; init; }

    /// <summary>The runs, at least one.</summary>
    public required IReadOnlyList<MeasuredRun> Runs { get; init; }

    /// <summary>The test images that the outputs belong to; without them the page has no pictures of networks.</summary>
    public ImageSet? Images { get; init; }

    /// <summary>Points of each t-SNE; each brings its image into the page, some 2 kB for one of 32x32.</summary>
    public int MapPoints { get; init; } = 2000;

    /// <summary>How many of the student's mistakes are shown.</summary>
    public int Examples { get; init; } = 24;

    /// <summary>How the maps are drawn. With few points the perplexity is lowered to a third of them.</summary>
    public Tsne Tsne { get; init; } = new();

    /// <summary>Writes the page into a file, whole or not at all.</summary>
    /// <exception cref="UserException">The file cannot be written, or a run's recipe cannot be read.</exception>
    public void Save(string path, CancellationToken cancel = default, IProgress<WorkProgress>? progress = null) =>
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(Build(cancel, progress)));

    /// <summary>Makes the page.</summary>
    /// <exception cref="ArgumentException">There is no run, or outputs do not belong to the images.</exception>
    /// <exception cref="UserException">A run's recipe cannot be read.</exception>
    public string Build(CancellationToken cancel = default, IProgress<WorkProgress>? progress = null)
    {
        var data = Data(cancel, progress);
        return PageTemplate.Fill(data.Title, PageTemplate.Report, JsonSerializer.Serialize(data, ReportJson.Default.ReportData));
    }

    /// <summary>What the page is drawn from.</summary>
    internal ReportData Data(CancellationToken cancel = default, IProgress<WorkProgress>? progress = null)
    {
        if (Runs.Count == 0) throw new ArgumentException("a report needs at least one run", nameof(Runs));
        var outputs = Runs.Select(run => run.Teacher).Concat(Runs.Select(run => run.Student)).OfType<NetworkOutputs>().Distinct().ToList();
        if (outputs.Any(one => Images is null || !one.Labels.SequenceEqual(Images.Labels) || one.Classes != Images.ClassNames.Count))
            throw new ArgumentException("the outputs do not belong to the report's images", nameof(Images));

        var points = Images is null || outputs.Count == 0 ? []
            : BalancedSubset.Choose(Images.Labels, Images.ClassNames.Count, Math.Min(MapPoints, Images.Count), Tsne.Seed);
        // One sheet for the examples of all runs; an image that several students miss is there once.
        var missed = new List<int>();
        var runs = Runs.Select(run => Describe(run, outputs, missed)).ToList();
        return new()
        {
            Title = Title ?? (Runs.Count == 1 ? Runs[0].Run.Manifest.Name : $"{Runs.Count} runs"),
            Version = typeof(RunReport).Assembly.GetName().Version?.ToString(3) ?? "",
            Made = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture),
            Images = outputs.Count > 0 ? Images!.Count : null, Classes = Images?.ClassNames ?? [], Runs = runs,
            Networks = [.. outputs.Select(one => Describe(one, points, cancel, progress))],
            Points = CanMap(points) ? new(Array.ConvertAll(points, i => Images!.Labels[i]), SpriteSheet.Of(Images!, points, ThumbnailSide))
                : null,
            Examples = missed.Count > 0 ? SpriteSheet.Of(Images!, missed, ExampleSide) : null,
        };
    }

    RunData Describe(MeasuredRun run, List<NetworkOutputs> outputs, List<int> missed) => new(run.Run)
    {
        Missing = run.Missing, StudentNetwork = run.Student is { } student ? outputs.IndexOf(student) : null,
        TeacherNetwork = run.Teacher is { } teacher ? outputs.IndexOf(teacher) : null,
        Comparison = run is { Student: { } ours, Teacher: { } theirs } ? Compare(theirs, ours, missed) : null,
    };

    ComparisonData Compare(NetworkOutputs teacher, NetworkOutputs student, List<int> missed)
    {
        var (agreed, teacherOnly, studentOnly) = (0, new List<int>(), 0);
        for (var i = 0; i < student.Count; i++)
        {
            var (truth, theirs, ours) = (student.Labels[i], teacher.Predictions[i], student.Predictions[i]);
            if (theirs == ours) agreed++;
            else if (theirs == truth) teacherOnly.Add(i);
            else if (ours == truth) studentOnly++;
        }
        var examples = teacherOnly.Select(i => (Image: i, Sure: student.Probability(i, student.Predictions[i])))
            .OrderByDescending(one => one.Sure).ThenBy(one => one.Image).Take(Examples)
            .Select(one => new ExampleData(Tile(missed, one.Image), one.Image, student.Labels[one.Image], student.Predictions[one.Image],
                Math.Round(teacher.Probability(one.Image, teacher.Predictions[one.Image]), 4), Math.Round(one.Sure, 4)));
        var correlation = CorrelationDifference.Of(teacher, student);
        return new(100.0 * agreed / student.Count, teacherOnly.Count, studentOnly,
            new(correlation.MeanAbsolute, correlation.LargestAbsolute,
                [.. correlation.Values.Cast<double>().Select(v => Math.Round(v, 3))]), [.. examples]);
    }

    static int Tile(List<int> images, int image)
    {
        if (!images.Contains(image)) images.Add(image);
        return images.IndexOf(image);
    }

    NetworkData Describe(NetworkOutputs outputs, int[] points, CancellationToken cancel, IProgress<WorkProgress>? progress)
    {
        var (confusion, mapped) = (Confusion.Of(outputs), CanMap(points));
        return new(TitleOf(outputs), 100.0 * outputs.Correct / outputs.Count, [.. confusion.ClassAccuracy().Select(v => Math.Round(v, 2))],
            [.. confusion.Counts.Cast<long>()],
            [.. confusion.Commonest(CommonConfusions).Select(c => new[] { c.Label, c.Predicted, c.Images })],
            mapped ? Array.ConvertAll(points, i => outputs.Predictions[i]) : null,
            mapped && outputs.Width > 0 ? Map(outputs, points, cancel, progress) : null);
    }

    string TitleOf(NetworkOutputs outputs) =>
        Runs.FirstOrDefault(run => run.Teacher == outputs) is { } taught ? $"{taught.Run.Manifest.Teacher} (teacher)"
        : Runs.Count == 1 ? $"{Runs[0].Run.Manifest.Student} (student)" : Runs.First(run => run.Student == outputs).Run.Manifest.Name;

    // A map of fewer points shows nothing that a list would not.
    static bool CanMap(int[] points) => points.Length >= 10;

    MapData Map(NetworkOutputs outputs, int[] points, CancellationToken cancel, IProgress<WorkProgress>? progress)
    {
        var map = Tsne.ForPoints(points.Length).Embed(outputs.PooledOf(points), outputs.Width, cancel, progress);
        return new([.. map.X.Select(v => Math.Round(v, 2))], [.. map.Y.Select(v => Math.Round(v, 2))]);
    }
}
