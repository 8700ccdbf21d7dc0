using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Report;

/// <summary>What the page is drawn from, as its scripts read it.</summary>
sealed record ReportData
{
    public required string Title { get; init; }
    public required string Version { get; init; }
    public required string Made { get; init; }
    public int? Images { get; init; }
    public IReadOnlyList<string> Classes { get; init; } = [];
    public required IReadOnlyList<RunData> Runs { get; init; }
    public IReadOnlyList<NetworkData> Networks { get; init; } = [];
    public PointData? Points { get; init; }
    public SpriteSheet? Examples { get; init; }
}

/// <summary>A run with what a line of a table says of it.</summary>
record RunRow
{
    public required string Name { get; init; }
    public required string State { get; init; }
    public string? Failure { get; init; }
    public required string Dataset { get; init; }
    public required string Student { get; init; }
    public string? Teacher { get; init; }
    public required string Method { get; init; }
    public required long Seed { get; init; }
    public required int Epochs { get; init; }
    public required int EpochsDone { get; init; }
    public double? FinalAcc1 { get; init; }
    public double? FinalAcc5 { get; init; }
    public double? BestAcc1 { get; init; }
    public int? BestEpoch { get; init; }
    public double? ImagesPerSecond { get; init; }
    public double Seconds { get; init; }
    public required string Digest { get; init; }
    public required DateTimeOffset Created { get; init; }

    public RunRow() { }

    [SetsRequiredMembers]
    public RunRow(RunSummary run)
    {
        var manifest = run.Manifest;
        (Name, State, Failure) = (manifest.Name, run.State.ToString().ToLowerInvariant(), manifest.Failure);
        (Dataset, Student, Teacher, Method, Seed) =
            (manifest.Dataset, manifest.Student, manifest.Teacher, manifest.MethodLabel, manifest.Seed);
        (Epochs, EpochsDone, Digest, Created) = (manifest.Epochs, run.EpochsDone, manifest.RecipeDigest, manifest.Created);
        (FinalAcc1, FinalAcc5, BestAcc1, BestEpoch) = (run.FinalAcc1, run.FinalAcc5, run.BestAcc1, run.BestEpoch);
        (ImagesPerSecond, Seconds) = (run.ImagesPerSecond, run.Seconds);
    }
}

/// <summary>A run with all that its folder holds.</summary>
sealed record RunData : RunRow
{
    public string? Missing { get; init; }
    public string? Machine { get; init; }
    public string? Libtorch { get; init; }
    public string? Precision { get; init; }
    public long? Parameters { get; init; }
    public required string Recipe { get; init; }
    public required CurveData Curves { get; init; }
    public int? StudentNetwork { get; init; }
    public int? TeacherNetwork { get; init; }
    public ComparisonData? Comparison { get; init; }

    /// <summary>The log's end, on the live page.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Log { get; init; }

    public RunData() { }

    [SetsRequiredMembers]
    RunData(RunReader run, string recipe, CurveData curves) : base(RunSummary.Of(run)) => (Recipe, Curves) = (recipe, curves);

    public static RunData Of(RunReader run) => new(run, run.Recipe, CurveData.Of(run.Metrics))
    {
        Machine = run.Manifest.Machine is { } machine ? $"{machine.Cpu}, {machine.Cores} cores" : null,
        Libtorch = run.Manifest.Versions?.Libtorch, Precision = run.Manifest.Precision, Parameters = run.Manifest.Parameters,
    };
}

sealed record CurveData(int[] Epoch, double?[] Acc1, double?[] Acc5, double?[] Loss, double?[] Lr)
{
    public static CurveData Of(IEnumerable<EpochMetrics> metrics)
    {
        var epochs = metrics.ToList();
        return new([.. epochs.Select(m => m.Epoch)], [.. epochs.Select(m => m.Acc1)], [.. epochs.Select(m => m.Acc5)],
            [.. epochs.Select(m => (double?)m.Loss)], [.. epochs.Select(m => (double?)m.Lr)]);
    }
}

/// <summary>A network that was run over the test images. The confusion is [K * K] by true class, then prediction.</summary>
sealed record NetworkData(
    string Title, double Acc1, double[] ClassAccuracy, long[] Confusion, IReadOnlyList<long[]> Commonest, int[]? Predictions, MapData? Map);

sealed record MapData(double[] X, double[] Y);

sealed record PointData(int[] Labels, SpriteSheet Sheet);

sealed record ComparisonData(
    double Agreement, int TeacherOnly, int StudentOnly, CorrelationData Correlation, IReadOnlyList<ExampleData> Examples);

sealed record CorrelationData(double Mean, double Largest, double[] Values);

sealed record ExampleData(int Tile, int Image, int Label, int Predicted, double TeacherProbability, double StudentProbability);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(FiniteNumber)])]
[JsonSerializable(typeof(ReportData))]
[JsonSerializable(typeof(RunData))]
[JsonSerializable(typeof(IReadOnlyList<RunRow>))]
sealed partial class ReportJson : JsonSerializerContext;
