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
    readonly RunSummary run;

    internal RunRow(RunSummary run) => this.run = run;

    public string Name => run.Name;
    public string State => run.State.ToString().ToLowerInvariant();
    public string? Failure => run.Manifest.Failure;
    public string Dataset => run.Manifest.Dataset;
    public string Student => run.Manifest.Student;
    public string? Teacher => run.Manifest.Teacher;
    public string Method => run.Manifest.MethodLabel;
    public long Seed => run.Manifest.Seed;
    public int Epochs => run.Manifest.Epochs;
    public int EpochsDone => run.EpochsDone;
    public double? FinalAcc1 => run.FinalAcc1;
    public double? FinalAcc5 => run.FinalAcc5;
    public double? BestAcc1 => run.BestAcc1;
    public int? BestEpoch => run.BestEpoch;
    public double? ImagesPerSecond => run.ImagesPerSecond;
    public double Seconds => run.Seconds;
    public string Digest => run.Manifest.RecipeDigest;
    public DateTimeOffset Created => run.Manifest.Created;
}

/// <summary>A run with all that its folder holds.</summary>
sealed record RunData : RunRow
{
    readonly RunReader run;

    internal RunData(RunReader run) : base(RunSummary.Of(run)) => (this.run, Curves) = (run, CurveData.Of(run.Metrics));

    public string? Missing { get; init; }
    public string? Machine => run.Manifest.Machine is { } machine ? $"{machine.Cpu}, {machine.Cores} cores" : null;
    public string? Libtorch => run.Manifest.Versions?.Libtorch;
    public string? Precision => run.Manifest.Precision;
    public long? Parameters => run.Manifest.Parameters;
    public string Recipe => run.Recipe;
    public CurveData Curves { get; }
    public int? StudentNetwork { get; init; }
    public int? TeacherNetwork { get; init; }
    public ComparisonData? Comparison { get; init; }

    /// <summary>The log's end, on the live page.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Log { get; init; }
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
