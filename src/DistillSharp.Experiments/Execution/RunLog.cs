using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Execution;

/// <summary>
/// Keeps what is said while a run trains in its folder, a line each with the time (UTC). What is said before there is a folder is
/// kept until then. A log that cannot be written stops nothing.
/// </summary>
sealed class RunLog : TrainingObserver
{
    const int MaxPending = 1 << 20;

    readonly StringBuilder pending = new();
    string? path;
    int epochs;

    /// <summary>Writes what was said so far, and from now on everything.</summary>
    public void Open(string folder)
    {
        path = Path.Combine(folder, RunFiles.Log);
        Write();
    }

    public override void Started(TrainingPlan plan)
    {
        epochs = plan.Epochs;
        Line($"{(plan.FirstEpoch > 1 ? $"goes on with epoch {plan.FirstEpoch}" : "starts")}: {plan.Epochs} epochs of {plan.StepsPerEpoch} "
            + $"steps, batch {plan.BatchSize}, {plan.Precision.ToString().ToLowerInvariant()}");
    }

    public override void EpochEnded(EpochMetrics metrics) => Line(string.Create(CultureInfo.InvariantCulture,
        $"epoch {metrics.Epoch}/{epochs}  loss {metrics.Loss:0.0000}{Terms(metrics)}  lr {metrics.Lr:0.#####}  "
        + $"{metrics.ImagesPerSecond:0} images/s")
        + (metrics.Acc1 is null ? ""
            : string.Create(CultureInfo.InvariantCulture, $"  Acc1 {metrics.Acc1:0.00}  Acc5 {metrics.Acc5:0.00}")));

    public override void Said(string message) => Line(message);

    public override void Warned(string message) => Line($"warning: {message}");

    static string Terms(EpochMetrics metrics) => metrics.Terms.Count < 2 ? "" : $" ({string.Join(", ", metrics.Terms.Select(term =>
        string.Create(CultureInfo.InvariantCulture, $"{term.Key} {term.Value:0.000}")))})";

    void Line(string text)
    {
        pending.Append(DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss  ", CultureInfo.InvariantCulture)).Append(text.ReplaceLineEndings(" "))
            .Append('\n');
        if (path is not null) Write();
    }

    // On a full disk the lines wait for the next one.
    void Write()
    {
        try
        {
            File.AppendAllText(path!, pending.ToString());
            pending.Clear();
        }
        catch (Exception e) when (FileTrouble.Is(e))
        {
            if (pending.Length > MaxPending) pending.Clear();
        }
    }
}
