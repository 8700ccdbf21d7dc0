using DistillSharp.Evaluation;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Interop;

namespace DistillSharp.Experiments.Measurement;

/// <summary>Which network is to be measured, and on what.</summary>
public sealed record EvaluationRequest
{
    /// <summary>The network. Its data set may be left out where it is a run: then it is the one that the run was trained on.</summary>
    public required NetworkSource Source { get; init; }

    /// <summary>The folder of the data set; null for the one that a run was trained on.</summary>
    public string? Root { get; init; }

    /// <summary>Values of a recipe's data and train sections, as <c>path=value</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Reads the data set, as it was read for the run.</summary>
    /// <exception cref="UserException">Something is missing, or files are damaged.</exception>
    public Dataset LoadData() => ToRecipe().LoadData();

    /// <summary>The request as a recipe: the run's own, or one of the data set and the network.</summary>
    /// <exception cref="UsageException">The data set is missing, or there is none of its name.</exception>
    internal Recipe ToRecipe()
    {
        var toolkit = Source.Toolkit;
        // As a run's student is measured after an epoch.
        string[] overrides = ["train.precision=fp32", .. Given("data.set", Source.Dataset), .. Given("data.root", Root),
            .. Given("data.mean", Numbers(Source.Mean)), .. Given("data.std", Numbers(Source.Std)), .. Overrides];
        if (Source.Run is { } run) return Recipe.Parse(RunReader.Load(run).Recipe, Path.Combine(run, RunFiles.Recipe), toolkit, overrides);
        var set = Source.Dataset ?? throw new UsageException("the name of the data set is missing, on whose test images to measure");
        // A name that was given by itself is told from one in a recipe.
        _ = toolkit.Datasets[set];
        var text = $"data: {{ set: '{Quoted(set)}', root: data }}\nstudent: {{ network: '{Quoted(Source.Model ?? "")}' }}";
        return Recipe.Parse(text, "the request", toolkit, overrides);
    }

    static string[] Given(string path, string? value) => value is null ? [] : [$"{path}={value}"];

    static string? Numbers(IReadOnlyList<float>? values) => values is null ? null
        : $"[{string.Join(',', values.Select(value => value.ToString(CultureInfo.InvariantCulture)))}]";

    static string Quoted(string text) => text.Replace("'", "''", StringComparison.Ordinal);
}

/// <summary>What measuring a network gave.</summary>
/// <param name="Model">The network.</param>
/// <param name="Images">How many test images there were.</param>
/// <param name="Acc1">Right first guesses in percent.</param>
/// <param name="Acc5">Right guesses among the first five in percent; null with fewer than six classes.</param>
/// <param name="Parameters">Trainable values.</param>
/// <param name="Dataset">The data set.</param>
/// <param name="Precision">What was computed in: fp32 unless another was asked for and the processor has it.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="ImagesPerSecond">How fast it was.</param>
public sealed record EvaluationReport(
    string Model, int Images, double Acc1, double? Acc5, long Parameters, string Dataset, string Precision, double Seconds,
        double ImagesPerSecond)
{
    /// <summary>What loading the weights found, a line each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Measures a network on a data set's test images.</summary>
    /// <param name="request">The network and the images.</param>
    /// <param name="progress">Hears of each batch.</param>
    /// <exception cref="UserException">Files are missing or damaged, or the weights do not fit.</exception>
    public static EvaluationReport Measure(EvaluationRequest request, IProgress<WorkProgress>? progress = null)
    {
        var notes = new List<string>();
        using var loaded = (request.Source with { Said = notes.Add }).Load();
        var (recipe, network) = (request.ToRecipe(), loaded.Network);
        recipe.CheckFiles();
        var data = recipe.LoadData(progress);
        if (data.Classes != network.Classes)
            throw new UserException($"{request.Source.Weights ?? request.Source.Run}: this {network.Name} tells {network.Classes} classes "
                + $"apart, and {data.Name} has {data.Classes}");
        var device = recipe.Train.Device;
        var precision = recipe.Train.Precision.Resolve(device);
        network.To(device);

        var clock = System.Diagnostics.Stopwatch.StartNew();
        var accuracy = Accuracy.Measure(
            network, data.Test, data.Normalization, precision, device, recipe.Train.EvaluateBatch, progress: progress);
        var seconds = clock.Elapsed.TotalSeconds;
        return new(
            network.Name, accuracy.Images, Math.Round(accuracy.Top1, 4), accuracy.Top5 is { } top5 ? Math.Round(top5, 4) : null,
            network.ParameterCount, data.Name, precision.ToString().ToLowerInvariant(), Math.Round(seconds, 3),
            Math.Round(accuracy.Images / seconds, 1))
        { Notes = notes };
    }
}
