namespace DistillSharp.Experiments.Runs;

/// <summary>What lies where in a run's folder.</summary>
public static class RunFiles
{
    /// <summary>The resolved recipe.</summary>
    public const string Recipe = "recipe.yaml";

    /// <summary>The <see cref="RunManifest"/>: everything that finds, compares and places the run.</summary>
    public const string Manifest = "run.json";

    /// <summary>The metrics, a line of JSON for each epoch.</summary>
    public const string Metrics = "metrics.jsonl";

    /// <summary>What was said while it trained, a line each.</summary>
    public const string Log = "log.txt";

    /// <summary>The folder of the checkpoints.</summary>
    public const string Checkpoints = "checkpoints";
}
