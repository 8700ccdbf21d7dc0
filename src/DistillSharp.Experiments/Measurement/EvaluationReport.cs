using DistillSharp.Data;
using DistillSharp.Extending;
using DistillSharp.Evaluation;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using DistillSharp.Interop;
using DistillSharp.Models;

namespace DistillSharp.Experiments.Measurement;

/// <summary>Which network is to be measured, and on what: a run's student, or a network with a file of weights.</summary>
public sealed record EvaluationRequest
{
    /// <summary>The networks and data sets that there are.</summary>
    public Toolkit Toolkit { get; init; } = Toolkit.BuiltIn;

    /// <summary>A finished run's folder; null for <see cref="Model"/> and <see cref="Weights"/>.</summary>
    public string? Run { get; init; }

    /// <summary>The network's name.</summary>
    public string? Model { get; init; }

    /// <summary>The file of its weights.</summary>
    public string? Weights { get; init; }

    /// <summary>The data set's name; null for the one that a run was trained on.</summary>
    public string? Dataset { get; init; }

    /// <summary>The folder of the data set; null for the one that a run was trained on.</summary>
    public string? Root { get; init; }

    /// <summary>Values of a recipe's data and train sections, as <c>path=value</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>The request as a recipe, and the file of the weights.</summary>
    /// <exception cref="UsageException">Something is missing, or given twice.</exception>
    internal (Recipe Recipe, string Weights) Resolve()
    {
        if (Run is not null)
        {
            if (Model is not null || Weights is not null) throw new UsageException("give a run or --model with --weights, not both");
            var stored = RunReader.Load(Run);
            string[] elsewhere =
                [.. Dataset is null ? [] : new[] { $"data.set={Dataset}" }, .. Root is null ? [] : new[] { $"data.root={Root}" }];
            var recipe = Recipe.Parse(stored.Recipe, Path.Combine(Run, RunFiles.Recipe), Toolkit, [.. elsewhere, .. Overrides]);
            return (recipe, Path.Combine(Run, StudentFile.FileName));
        }
        var network = Model ?? throw Missing("--model NAME");
        var weights = Weights ?? throw Missing("--weights FILE");
        var set = Dataset ?? throw Missing("--data NAME");
        // Names on the command line are told from those in a recipe.
        (_, _) = (Toolkit.Networks[network], Toolkit.Datasets[set]);
        var text = $"data: {{ set: '{Quoted(set)}', root: '{Quoted(Root ?? "data")}' }}\nstudent: {{ network: '{Quoted(network)}' }}";
        return (Recipe.Parse(text, "the command line", Toolkit, Overrides), weights);
    }

    /// <summary>Reads the data set, as it was read for the run.</summary>
    /// <exception cref="UserException">Something is missing, or files are damaged.</exception>
    public Dataset LoadData() => Resolve().Recipe.LoadData();

    static UsageException Missing(string option) =>
        new($"{option} is missing; give a run's folder, or --model NAME --weights FILE --data NAME --root DIR");

    static string Quoted(string text) => text.Replace("'", "''", StringComparison.Ordinal);
}

/// <summary>What measuring a network gave.</summary>
/// <param name="Model">The network.</param>
/// <param name="Images">How many test images there were.</param>
/// <param name="Acc1">Right first guesses in percent.</param>
/// <param name="Acc5">Right guesses among the first five in percent; null with fewer than six classes.</param>
/// <param name="Parameters">Trainable values.</param>
/// <param name="Dataset">The data set.</param>
/// <param name="Precision">What was computed in: fp32, as after a run's epochs.</param>
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
        var (recipe, weights) = request.Resolve();
        if (!File.Exists(Weights.Split(weights).File)) throw new UserException($"{weights}: there is no such file of weights");
        recipe.CheckFiles();
        var data = recipe.LoadData(progress);
        using var network = request.Toolkit.Networks.Create(recipe.Student.Network, data.Classes);
        network.LoadWeights(weights, out var loaded);
        var device = recipe.Train.Device;
        network.To(device);

        var clock = System.Diagnostics.Stopwatch.StartNew();
        var accuracy =
            Accuracy.Measure(
                network, data.Test, data.Normalization, device: device, batchSize: recipe.Train.EvaluateBatch, progress: progress);
        var seconds = clock.Elapsed.TotalSeconds;
        return new(
            network.Name, accuracy.Images, Math.Round(accuracy.Top1, 4), accuracy.Top5 is { } top5 ? Math.Round(top5, 4)
                : null, network.ParameterCount,
            data.Name, "fp32", Math.Round(seconds, 3), Math.Round(accuracy.Images / seconds, 1))
        {
            Notes = [.. loaded.Lines.Select(line => $"{weights}: {line}")],
        };
    }
}
