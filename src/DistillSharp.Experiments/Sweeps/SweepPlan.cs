using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Sweeps;

/// <summary>Where a run of a sweep stands.</summary>
public enum SweepState
{
    /// <summary>It was never started.</summary>
    Missing,
    /// <summary>It was cut off and will be resumed.</summary>
    Interrupted,
    /// <summary>It failed and will be tried again.</summary>
    Failed,
    /// <summary>Another process is at it.</summary>
    Running,
    /// <summary>It is done and will be skipped.</summary>
    Finished,
}

/// <summary>A run of a sweep and what is there of it.</summary>
/// <param name="Spec">What is asked for.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Run">The name of its run folder, the one that exists or the one it will have.</param>
/// <param name="Existing">What exists of it; null when missing.</param>
/// <param name="SecondsLeft">The training time still needed on all cores, estimated; null when nothing like it was ever measured.</param>
/// <param name="Basis">The run whose speed the estimate is from.</param>
public sealed record SweepEntry(RunSpec Spec, SweepState State, string Run, RunSummary? Existing, double? SecondsLeft, string? Basis);

/// <summary>
/// A sweep compared with the run folders: what is finished, what is to resume, what is missing. A run is found again by the
/// digest of its resolved recipe, so that one with other settings is never taken for it, whatever its name. The folders
/// are asked and not the registry: a run that was killed before it was registered exists all the same.
/// </summary>
public sealed class SweepPlan
{
    SweepPlan(string runsRoot, IReadOnlyList<SweepEntry> entries, IReadOnlyList<string> problems) =>
        (RunsRoot, Entries, Problems) = (runsRoot, entries, problems);

    /// <summary>The folder of all runs.</summary>
    public string RunsRoot { get; }

    /// <summary>The runs, in the sweep's order.</summary>
    public IReadOnlyList<SweepEntry> Entries { get; }

    /// <summary>Run folders that could not be read, a sentence each.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>The training time still needed in all. Runs side by side share the cores, so it does not depend on their number.</summary>
    public double SecondsLeft => Entries.Sum(e => e.SecondsLeft ?? 0);

    /// <summary>How many runs that are not finished have no estimate.</summary>
    public int WithoutEstimate => Entries.Count(e => e.State != SweepState.Finished && e.SecondsLeft is null);

    /// <summary>The files and folders that runs not finished need and that are not there, a sentence each.</summary>
    public IReadOnlyList<string> MissingFiles() =>
        [.. Entries.Where(e => e.State != SweepState.Finished && Before(e).All(other => other.State == SweepState.Finished))
            .Select(e => Missing(e.Spec.Recipe)).OfType<string>().Distinct()];

    /// <summary>The runs of the sweep that come before one, since it begins with a file of theirs, such as its teacher's.</summary>
    public IEnumerable<SweepEntry> Before(SweepEntry entry)
    {
        var files = entry.Spec.Recipe.WeightFiles.Select(file => Path.GetFullPath(file)).ToList();
        return Entries.Where(other => other != entry && files.Exists(file => file.StartsWith(Folder(other), StringComparison.Ordinal)));

        string Folder(SweepEntry other) => Path.Combine(RunsRoot, other.Run) + Path.DirectorySeparatorChar;
    }

    /// <summary>The runs in an order in which each comes after those that are <see cref="Before"/> it.</summary>
    internal IReadOnlyList<SweepEntry> InOrder()
    {
        var (ordered, seen) = (new List<SweepEntry>(), new HashSet<SweepEntry>());
        foreach (var entry in Entries) Add(entry);
        return ordered;

        void Add(SweepEntry entry)
        {
            if (!seen.Add(entry)) return;
            foreach (var other in Before(entry)) Add(other);
            ordered.Add(entry);
        }
    }

    static string? Missing(Recipe recipe)
    {
        try
        {
            recipe.CheckFiles();
            return null;
        }
        catch (UserException e) { return e.Message; }
    }

    /// <summary>Compares a sweep's runs with a folder of runs.</summary>
    /// <param name="specs">The runs asked for.</param>
    /// <param name="runsRoot">The folder of all runs; it need not exist.</param>
    public static SweepPlan Of(IReadOnlyList<RunSpec> specs, string runsRoot)
    {
        var root = Path.GetFullPath(runsRoot);
        var problems = new List<string>();
        var runs = new List<RunSummary>();
        foreach (var folder in RunReader.FoldersIn(root))
            try { runs.Add(RunSummary.Of(RunReader.Load(folder))); }
            catch (UserException e) { problems.Add(e.Message); }

        var byDigest = runs.ToLookup(r => r.Manifest.RecipeDigest);
        var taken = new HashSet<string>();
        var entries = new List<SweepEntry>();
        foreach (var spec in specs)
        {
            var existing = byDigest[spec.Digest].OrderByDescending(r => StateOf(r.State)).ThenBy(r => r.Manifest.Created).FirstOrDefault();
            var name = existing?.Name ?? FreeName(root, spec, taken, out existing);
            var state = existing is null ? SweepState.Missing : StateOf(existing.State);
            taken.Add(name);
            var (seconds, basis) = state == SweepState.Finished ? (0, null) : SweepEstimate.Of(spec, existing?.EpochsDone ?? 0, runs);
            entries.Add(new SweepEntry(spec, state, name, existing, seconds, basis));
        }
        return new SweepPlan(root, entries, problems);
    }

    // What a run can be is called the same in a sweep.
    internal static SweepState StateOf(RunState state) => Enum.Parse<SweepState>(state.ToString());

    // The wanted name may belong to a run with other settings; then the next number is free for this one. Or it may be this
    // run, made since the folders were listed by a process that outlived its sweep: taking it for another would run it twice.
    static string FreeName(string root, RunSpec spec, HashSet<string> taken, out RunSummary? madeMeanwhile)
    {
        for (var number = 1; ; number++)
        {
            var name = number == 1 ? spec.Name : $"{spec.Name}-{number}";
            var folder = Path.Combine(root, name);
            madeMeanwhile = null;
            if (taken.Contains(name)) continue;
            if (!Path.Exists(folder)) return name;
            try
            {
                if (!RunReader.IsRun(folder) || RunReader.Load(folder) is not { } run || run.Manifest.RecipeDigest != spec.Digest) continue;
                madeMeanwhile = RunSummary.Of(run);
                return name;
            }
            catch (UserException)
            {
                // Not readable, and so told among the problems: its name is taken all the same.
            }
        }
    }
}

/// <summary>How long a run will take, from the speed of the most similar one measured on this machine.</summary>
static class SweepEstimate
{
    public static (double? Seconds, string? Basis) Of(RunSpec spec, int epochsDone, IReadOnlyList<RunSummary> runs)
    {
        var recipe = spec.Recipe;
        if (Images(recipe.Data) is not { } images) return (null, null);
        var methods = string.Join('+', recipe.MethodNames);
        var device = recipe.Train.Device.ToString();
        var here = runs.Where(r =>
            r.ImagesPerSecond > 0 && r.Manifest.Machine == MachineDescription.Current && (r.Manifest.Device ?? device) == device);
        var nearest = here.Where(r => r.Manifest.Student == recipe.Student.Network)
            .OrderByDescending(r => r.Manifest.Teacher == recipe.Teacher?.Name)
            .ThenByDescending(r => r.Manifest.MethodLabel == methods)
            .ThenByDescending(r => r.Manifest.Dataset == recipe.Data.Set)
            .ThenByDescending(r => r.Manifest.Batch == recipe.Data.Batch)
            .ThenByDescending(r => r.Manifest.Created).FirstOrDefault();
        if (nearest is null) return (null, null);
        // A speed measured on a part of the cores that this sweep has stands for as much of theirs.
        var cores = Environment.ProcessorCount;
        var speed = nearest.ImagesPerSecond!.Value * cores / Math.Max(1, nearest.Manifest.Threads ?? cores);
        return (Math.Max(0, recipe.Train.Epochs - epochsDone) * (double)images / speed, nearest.Name);
    }

    static int? Images(DataSection data)
    {
        int? all = data.Set switch
        {
            "cifar10" or "cifar100" => 50_000,
            "mnist" or "fashion-mnist" => 60_000,
            "imagenet" => 1_281_167,
            _ => null,
        };
        return data.TrainLimit is { } limit ? Math.Min(limit, all ?? limit) : all;
    }
}
