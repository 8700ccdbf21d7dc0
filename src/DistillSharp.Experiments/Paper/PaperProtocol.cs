using System.Collections.Concurrent;
using System.Globalization;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Methods;

namespace DistillSharp.Experiments.Paper;

/// <summary>
/// The training behind a result of the paper, as far as it is public (the CRD and DKD code bases), and in what a run of ours
/// departs from it. A run that departs in anything is no reproduction, however near its number comes.
/// </summary>
static class PaperProtocol
{
    static readonly HashSet<string> lowRateStudents = ["mobilenet_v2_half", "shufflenet_v1", "shufflenet_v2"];

    /// <summary>The departures of a run from the protocol of a result, a few words each; empty when there are none.</summary>
    public static IReadOnlyList<string> Departures(PaperResult paper, RunSummary run)
    {
        var imagenet = paper.Dataset == "imagenet";
        var found = new List<string>();
        var record = run.Manifest;
        if (record.Dataset != paper.Dataset) found.Add($"data set {record.Dataset} instead of {paper.Dataset}");
        Number("epoch", Math.Min(record.Epochs, run.EpochsDone), imagenet ? 100 : 240);
        Number("batch", record.Batch, paper.BatchSize);
        if (record.Dataset == paper.Dataset)
        {
            Images("training", record.TrainImages, imagenet ? 1_281_167 : 50_000);
            Images("test", record.TestImages, imagenet ? 50_000 : 10_000);
        }
        if (record.Precision != "fp32") found.Add($"precision {record.Precision ?? "not recorded"} instead of fp32");

        // Table 2's learning rates for the larger batches are not public.
        if (paper.Batch is null or 128)
            Setting("train.lr", "learning rate", imagenet ? "0.1" : lowRateStudents.Contains(paper.Student) ? "0.01" : "0.05");
        Setting("train.schedule", "schedule", "steps");
        // With other epochs, which are told, the steps are others too.
        if (run.EpochsDone == (imagenet ? 100 : 240)) Setting("train.schedule.steps", "learning rate steps", imagenet ? "[30, 60, 90]" : "[150, 180, 210]");
        Setting("train.schedule.factor", "learning rate factor", "0.1");
        Setting("train.warmup_steps", "warm-up steps", "0");
        Setting("train.optimizer", "optimizer", "sgd");
        Setting("train.decay_norms", "decay of norms and biases", "true");
        Setting("train.clip", "gradient clipping", "");
        Setting("train.label_smoothing", "label smoothing", "0");
        Setting("train.nesterov", "Nesterov momentum", "false");
        Setting("train.momentum", "momentum", "0.9");
        Setting("train.weight_decay", "weight decay", imagenet ? "0.0001" : "0.0005");
        if (record.Dataset == paper.Dataset)
        {
            Setting("data.augment", "augmentation", imagenet ? "[resized-crop, flip]" : "[crop, flip]");
            Setting("data.mean", "mean", imagenet ? "[0.485, 0.456, 0.406]" : "[0.5071, 0.4867, 0.4408]");
            Setting("data.std", "standard deviation", imagenet ? "[0.229, 0.224, 0.225]" : "[0.2675, 0.2565, 0.2761]");
        }
        if (run.Settings.TryGetValue("student.weights", out var begun) && begun.Length > 0) found.Add("a student that begins from trained weights");
        if (paper.Method != "ce") found.AddRange(OfTeacher(record, imagenet));
        // FSECD's settings in the paper are not public: nothing can be said to depart from them.
        if (paper.Method != "fsecd") found.AddRange(OfMethod(paper, run.Settings, imagenet));
        return found;

        void Number(string what, int? ours, int theirs)
        {
            if (ours == theirs) return;
            var number = ours?.ToString("N0", CultureInfo.InvariantCulture);
            if (what == "epoch") found.Add($"{number} epoch{(ours == 1 ? "" : "s")} instead of {theirs}");
            else found.Add($"{what} {number ?? "not recorded"} instead of {theirs}");
        }

        void Images(string what, int? ours, int theirs)
        {
            if (ours == theirs) return;
            var whole = theirs.ToString("N0", CultureInfo.InvariantCulture);
            found.Add(ours is null ? $"number of {what} images not recorded" : $"{ours.Value.ToString("N0", CultureInfo.InvariantCulture)} of {whole} {what} images");
        }

        void Setting(string path, string what, string theirs)
        {
            if (run.Settings.TryGetValue(path, out var ours) && ours != theirs) found.Add($"{what} {(ours.Length == 0 ? "none" : ours)} instead of {theirs}");
        }
    }

    // Tables of ImageNet follow torchvision's teachers; whose training is not known may be any.
    static IEnumerable<string> OfTeacher(RunManifest record, bool imagenet)
    {
        if (record.TeacherDepartures is not { } departures)
        {
            var accuracy = record.TeacherAcc1?.ToString("0.0", CultureInfo.InvariantCulture);
            yield return $"a teacher of unknown training{(accuracy is null ? "" : $", Acc1 {accuracy} %")}";
        }
        else if (departures.Count > 0) yield return $"a teacher trained with {string.Join(", ", departures)}";
        else if (imagenet) yield return "a teacher trained here instead of torchvision's";
    }

    // What the recipe leaves to the method is the published setting; what it says must be that of the paper's recipe.
    static IEnumerable<string> OfMethod(PaperResult paper, IReadOnlyDictionary<string, string> settings, bool imagenet)
    {
        var theirs = published.GetOrAdd(paper, Published);
        using var method = DistillationMethods.Create(paper.Method);
        // ImageNet's pairs change a method's defaults; without a recipe of the paper they are not known here.
        if (Given("ce.weight") is { } weight && Theirs("ce.weight", imagenet ? null : Number(method.CrossEntropyWeight)) is { } usual && weight != usual)
            yield return $"weight of cross-entropy {weight} instead of {usual}";
        foreach (var setting in Setting.Of(method, method.Name))
        {
            var path = $"methods[0].{setting.Name}";
            if (Given(path) is { } ours && Theirs(path, imagenet ? null : RecipeSettings.Canonical(setting.Read(method) ?? "")) is { } own && ours != own)
                yield return $"{setting.Name.Replace('_', ' ')} {ours} instead of {(own.Length == 0 ? "the pair's own" : own)}";
        }

        string? Theirs(string path, string? otherwise) => theirs.TryGetValue(path, out var value) && value.Length > 0 ? value : otherwise;

        string? Given(string path) => settings.TryGetValue(path, out var value) && value.Length > 0 ? value : null;

        static string Number(double value) => RecipeSettings.Canonical(value.ToString(CultureInfo.InvariantCulture));
    }

    static readonly ConcurrentDictionary<PaperResult, IReadOnlyDictionary<string, string>> published = new();

    static IReadOnlyDictionary<string, string> Published(PaperResult paper)
    {
        try { return RecipeSettings.Of(PaperRecipes.Get(PaperRecipes.NameOf(paper)).Resolve()); }
        catch (UsageException)
        {
            // Its data set or a network of it is not in this build.
            return new Dictionary<string, string>();
        }
    }
}
