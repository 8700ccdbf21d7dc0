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

    /// <summary>The folder of the checkpoints.</summary>
    public const string Checkpoints = "checkpoints";
}
