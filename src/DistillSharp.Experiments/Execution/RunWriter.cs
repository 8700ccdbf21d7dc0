using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;
using DistillSharp.Experiments.TensorBoard;

namespace DistillSharp.Experiments.Execution;

/// <summary>
/// Keeps the books of a run that trains: the folder's metrics, the TensorBoard file beside them and the registry. Only the
/// folder counts; whatever else fails is told as a warning and made good at the next epoch. Training never stops for it.
/// Give it to the trainer as its observer, and say with <see cref="End"/> how the run ended.
/// </summary>
public sealed class RunWriter : TrainingObserver, IDisposable
{
    readonly Action<string> warn;
    RunRegistry? registry;
    TensorBoardWriter? events;
    bool registryBehind = true;

    /// <summary>Starts recording a run that was created or opened, and registers it.</summary>
    /// <param name="folder">The run; the caller keeps it and disposes of it after this recorder.</param>
    /// <param name="warn">Told what could not be written, a sentence each.</param>
    public RunWriter(RunFolder folder, Action<string> warn)
    {
        (Folder, this.warn) = (folder, warn);
        Register(null);
    }

    /// <summary>The run.</summary>
    public RunFolder Folder { get; }

    /// <summary>Prepares for training that continues after a checkpoint: what was recorded later is removed everywhere.</summary>
    /// <param name="epoch">The checkpoint's last whole epoch; 0 to start over.</param>
    /// <exception cref="UserException">The metrics cannot be read or written.</exception>
    public MetricsRepair ContinueAfter(int epoch)
    {
        var repair = Folder.Metrics.ContinueAfter(epoch);
        if (repair.Missing.Count > 0)
            warn($"{Path.Combine(Folder.Path, RunFiles.Metrics)} lacks epoch {string.Join(", ", repair.Missing)}, which the checkpoint "
                + "has behind it");
        CloseEvents();
        Folder.SetState(RunState.Running);
        registryBehind = true;
        Register(null);
        return repair;
    }

    /// <summary>Notes what training really runs with, and removes what was recorded after the checkpoint it goes on from.</summary>
    /// <exception cref="UserException">The record or the metrics cannot be read or written.</exception>
    public override void Started(TrainingPlan plan)
    {
        Folder.Update(r => r with
        {
            Batch = plan.BatchSize,
            Precision = plan.Precision.ToString().ToLowerInvariant(),
            Parameters = plan.Parameters,
            Epochs = plan.Epochs,
        });
        ContinueAfter(plan.FirstEpoch - 1);
    }

    /// <summary>Records an epoch, before the epoch's checkpoint is written: so no checkpoint lacks a line.</summary>
    public override void EpochEnded(EpochMetrics metrics)
    {
        Try(() => Folder.Metrics.Append(metrics));
        if (Folder.Metrics.Pending == 0)
        {
            Try(() => ShowInTensorBoard(metrics));
            Register(metrics);
        }
        else
        {
            // Both are caught up from the folder once it has the line.
            CloseEvents();
            registryBehind = true;
        }
    }

    /// <summary>Counts an image that was left out.</summary>
    public override void Skipped(ImageProblem image) => Try(() => Folder.Update(manifest => manifest.WithSkipped(image.File)));

    /// <summary>Records how the run ended.</summary>
    /// <param name="state">Finished, failed or interrupted.</param>
    /// <param name="failure">For a failed run: why, in one sentence.</param>
    /// <exception cref="UserException">The record cannot be written.</exception>
    public void End(RunState state, string? failure = null)
    {
        Try(Folder.Metrics.Flush);
        Folder.SetState(state, failure);
        Try(() =>
        {
            if (registryBehind || registry is null) CatchUp();
            else registry.Update(Folder.Manifest);
        });
    }

    /// <summary>Closes the registry and the event file. The state stays what <see cref="End"/> wrote.</summary>
    public void Dispose()
    {
        registry?.Dispose();
        registry = null;
        CloseEvents();
    }

    void Register(EpochMetrics? metrics) => Try(() =>
    {
        var behind = registryBehind;
        registryBehind = true;
        if (behind || registry is null || metrics is null) CatchUp();
        else
            try { registry.Record(Folder.Name, metrics); }
            catch (UserException) { CatchUp(); }
        registryBehind = false;
    });

    // The folder holds everything, so one read of it makes up for anything the registry missed.
    void CatchUp()
    {
        registry ??= RunRegistry.Open(Path.GetDirectoryName(Folder.Path)!);
        registry.Record(RunReader.Load(Folder.Path));
    }

    // A resumed run's file is written anew from the metrics: TensorBoard knows no taking back. So is one that could not be written.
    void ShowInTensorBoard(EpochMetrics metrics)
    {
        try
        {
            if (events is not null)
            {
                events.Epoch(metrics, DateTimeOffset.UtcNow);
                return;
            }
            TensorBoardWriter.RemoveAll(Folder.Path);
            var at = Folder.Manifest.Created;
            events = TensorBoardWriter.Create(Folder.Path, at);
            events.Text("recipe", at, "    " + Folder.Recipe.ReplaceLineEndings("\n    "));
            foreach (var epoch in MetricsLog.Read(Path.Combine(Folder.Path, RunFiles.Metrics)))
            {
                if (double.IsFinite(epoch.Seconds)) at += TimeSpan.FromSeconds(epoch.Seconds);
                events.Epoch(epoch, at);
            }
        }
        catch
        {
            CloseEvents();
            throw;
        }
    }

    void CloseEvents()
    {
        events?.Dispose();
        events = null;
    }

    void Try(Action action)
    {
        try { action(); }
        catch (UserException e) { warn(e.Message); }
    }
}
