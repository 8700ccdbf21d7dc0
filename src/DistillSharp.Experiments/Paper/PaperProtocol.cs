using System.Collections.Concurrent;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Paper;

/// <summary>
/// The training behind a result of the paper, as far as it is public (the CRD and DKD code bases), and in what a run of ours
/// departs from it. A run that departs in anything is no reproduction, however near its number comes.
/// </summary>
static class PaperProtocol
{
    const string FirstMethod = "methods[0].";

    /// <summary>The departures of a run from the protocol of a result, a few words each; empty when there are none.</summary>
    public static IReadOnlyList<string> Departures(PaperResult paper, RunSummary run)
    {
        var set = Toolkit.BuiltIn.Datasets.Contains(paper.Dataset) ? Toolkit.BuiltIn.Datasets[paper.Dataset] : null;
        var protocol = set?.Protocol ?? Protocol.Cifar;
        var found = new List<string>();
        var record = run.Manifest;
        if (record.Dataset != paper.Dataset) found.Add($"data set {record.Dataset} instead of {paper.Dataset}");
        var epochs = Math.Min(record.Epochs, run.EpochsDone);
        if (epochs != protocol.Epochs) Found($"{epochs:N0} epoch{(epochs == 1 ? "" : "s")} instead of {protocol.Epochs}");
        if (record.Batch is null) Found($"batch not recorded instead of {paper.BatchSize}");
        else if (record.Batch != paper.BatchSize) Found($"batch {record.Batch:N0} instead of {paper.BatchSize}");
        if (record.Dataset == paper.Dataset)
        {
            Images("training", record.TrainImages, protocol.IsImageNet ? 1_281_167 : 50_000);
            Images("test", record.TestImages, protocol.IsImageNet ? 50_000 : 10_000);
        }
        if (record.Precision != "fp32") found.Add($"precision {record.Precision ?? "not recorded"} instead of fp32");

        // Table 2's learning rates for the larger batches are not public.
        if (paper.Batch is null or 128) Setting("train.lr", "learning rate", protocol.LearningRate(paper.Student));
        Setting("train.schedule", "schedule", "steps");
        // With other epochs, which are told, the steps are others too.
        if (run.EpochsDone == protocol.Epochs)
            Setting("train.schedule.steps", "learning rate steps", SettingValue.List(protocol.Steps.Select(RecipeText.Number)));
        Setting("train.schedule.factor", "learning rate factor", Protocol.Factor);
        Setting("train.warmup_steps", "warm-up steps", 0);
        Setting("train.optimizer", "optimizer", "sgd");
        Setting("train.decay_norms", "decay of norms and biases", true);
        Setting("train.clip", "gradient clipping", SettingValue.None);
        Setting("train.label_smoothing", "label smoothing", 0);
        Setting("train.nesterov", "Nesterov momentum", false);
        Setting("train.momentum", "momentum", Protocol.Momentum);
        Setting("train.weight_decay", "weight decay", protocol.WeightDecay);
        if (record.Dataset == paper.Dataset && set is not null)
        {
            Setting("data.augment", "augmentation", SettingValue.List(protocol.Augment.Select(step => step.Name)));
            Setting("data.mean", "mean", SettingValue.List(set.Mean.Select(RecipeText.Number)));
            Setting("data.std", "standard deviation", SettingValue.List(set.Std.Select(RecipeText.Number)));
        }
        if (run.Settings.TryGetValue("student.weights", out var begun) && begun.Length > 0)
            found.Add("a student that begins from trained weights");
        if (record.Changes is { Count: > 0 } changes) found.Add($"settings changed on the way ({string.Join(", ", changes)})");
        if (paper.Method != "ce") found.AddRange(OfTeacher(record, protocol.IsImageNet));
        // FSECD's settings in the paper are not public: nothing can be said to depart from them.
        if (paper.Method != "fsecd") found.AddRange(OfMethod(paper, run.Settings));
        return found;

        void Found(FormattableString departure) => found.Add(departure.ToString(CultureInfo.InvariantCulture));

        void Images(string what, int? ours, int theirs)
        {
            if (ours is null) Found($"number of {what} images not recorded");
            else if (ours != theirs) Found($"{ours:N0} of {theirs:N0} {what} images");
        }

        void Setting(string path, string what, SettingValue theirs)
        {
            if (run.Settings.TryGetValue(path, out var text) && SettingValue.Read(text) is var ours && !ours.Equals(theirs))
                found.Add($"{what} {ours} instead of {theirs}");
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

    // What the recipe says of a method must be what the paper's recipe says, where the pair's published values are written out.
    static IEnumerable<string> OfMethod(PaperResult paper, IReadOnlyDictionary<string, string> settings)
    {
        var theirs = published.GetOrAdd(paper, Published);
        if (Differs("ce.weight") is var (weight, usual)) yield return $"weight of cross-entropy {weight} instead of {usual}";
        foreach (var (path, _) in theirs)
            if (path.StartsWith(FirstMethod, StringComparison.Ordinal) && Differs(path) is var (ours, own))
                yield return $"{path[FirstMethod.Length..].Replace('_', ' ')} {ours} instead of {own}";

        (SettingValue Ours, SettingValue Theirs)? Differs(string path)
        {
            if (!settings.TryGetValue(path, out var text) || !theirs.TryGetValue(path, out var own)) return null;
            var ours = SettingValue.Read(text);
            return ours.IsNone || own.IsNone || ours.Equals(own) ? null : (ours, own);
        }
    }

    static readonly ConcurrentDictionary<PaperResult, IReadOnlyDictionary<string, SettingValue>> published = new();

    static IReadOnlyDictionary<string, SettingValue> Published(PaperResult paper)
    {
        try
        {
            var recipe = PaperRecipes.Get(PaperRecipes.NameOf(paper));
            var values = new Dictionary<string, SettingValue> { ["ce.weight"] = recipe.CrossEntropyWeight };
            foreach (var (name, value) in recipe.Methods.Take(1).SelectMany(method => method.Settings))
                values[FirstMethod + name] = SettingValue.Read(value ?? "");
            return values;
        }
        catch (UsageException)
        {
            // Its data set or a network of it is not in this build.
            return new Dictionary<string, SettingValue>();
        }
    }
}
