using System.Collections.Concurrent;
using DistillSharp.Experiments.Registry;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Sweeps;

/// <summary>What to start.</summary>
/// <param name="Spec">The run; its <see cref="RunSpec.RecipeText"/> is the recipe to train.</param>
/// <param name="Run">The name that the run must have, exactly: a taken name means that another process is at it.</param>
/// <param name="Resume">Whether the run exists and goes on.</param>
/// <param name="Threads">How many threads it should use, so that runs side by side share the cores.</param>
public sealed record RunStart(RunSpec Spec, string Run, bool Resume, int Threads);

/// <summary>How a started process ended.</summary>
/// <param name="Code">Its exit code, 0 for success.</param>
/// <param name="Message">What it said last, for the record of a failure.</param>
public readonly record struct RunExit(int Code, string? Message = null);

/// <summary>How a run of a sweep ended.</summary>
public enum SweepResult
{
    /// <summary>Trained to its end now.</summary>
    Finished,
    /// <summary>It was finished before.</summary>
    Skipped,
    /// <summary>It failed; the sweep went on.</summary>
    Failed,
    /// <summary>The sweep was asked to stop; the next one resumes it.</summary>
    Stopped,
}

/// <summary>A run's end.</summary>
/// <param name="Entry">The run.</param>
/// <param name="Result">How it ended.</param>
/// <param name="Message">Why it failed; null otherwise.</param>
public sealed record SweepOutcome(SweepEntry Entry, SweepResult Result, string? Message = null);

/// <summary>Watches a sweep. The calls come from several threads, one at a time.</summary>
public class SweepObserver
{
    /// <summary>A run is started or resumed.</summary>
    public virtual void Started(RunStart start) { }

    /// <summary>A run waits for another process that is at it.</summary>
    public virtual void Waiting(SweepEntry entry, int? process) { }

    /// <summary>A run ended.</summary>
    public virtual void Ended(SweepOutcome outcome) { }
}

/// <summary>
/// Runs what a sweep still lacks, several side by side, each as a process of its own. What a run achieved is read from its
/// folder, never from the process: so a sweep may be killed at any moment and started again, also while processes of the
/// killed one are still at work, and every run is made once. The failure of one is recorded and the others go on.
/// </summary>
/// <param name="start">Starts a run's process and waits for its end.</param>
/// <param name="observer">Watches.</param>
public sealed class SweepRunner(Func<RunStart, CancellationToken, Task<RunExit>> start, SweepObserver? observer = null)
{
    readonly SweepObserver observer = observer ?? new SweepObserver();
    readonly Lock telling = new();

    /// <summary>How often a run that another process is at is looked at.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Runs what is not finished.</summary>
    /// <param name="plan">What is there and what is not.</param>
    /// <param name="jobs">How many runs side by side, at most one for each core.</param>
    /// <param name="stop">Asks to stop: processes at work are told and waited for, no others are started.</param>
    /// <returns>How each run ended, in the plan's order.</returns>
    /// <exception cref="UsageException"><paramref name="jobs"/> is less than 1.</exception>
    public async Task<IReadOnlyList<SweepOutcome>> Run(SweepPlan plan, int jobs = 1, CancellationToken stop = default)
    {
        if (jobs < 1) throw new UsageException($"{jobs} runs side by side are none; give at least 1");
        jobs = Math.Min(jobs, Environment.ProcessorCount);
        var threads = Math.Max(1, Environment.ProcessorCount / jobs);
        var waiting = new ConcurrentQueue<SweepEntry>(plan.InOrder());
        var ends = plan.Entries.ToDictionary(entry => entry, _ => new TaskCompletionSource<SweepOutcome>());
        await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => Task.Run(async () =>
        {
            while (waiting.TryDequeue(out var entry))
            {
                SweepOutcome outcome;
                try { outcome = await Hindrance(plan, entry, ends) ?? await One(plan.RunsRoot, entry, threads, stop); }
                catch (UserException e) { outcome = new SweepOutcome(entry, SweepResult.Failed, e.Message); }
                try { lock (telling) observer.Ended(outcome); }
                finally
                {
                    // Last, so that what waits for it is told of after it.
                    ends[entry].SetResult(outcome);
                }
            }
        }, CancellationToken.None)));
        return await Task.WhenAll(plan.Entries.Select(entry => ends[entry].Task));
    }

    // Waits for the runs whose students this one begins with. They stand before it in the queue, so that someone is at each of them.
    static async Task<SweepOutcome?> Hindrance(
        SweepPlan plan, SweepEntry entry, Dictionary<SweepEntry, TaskCompletionSource<SweepOutcome>> ends)
    {
        foreach (var other in plan.InOrder().TakeWhile(one => one != entry).Intersect(plan.Before(entry)))
            switch ((await ends[other].Task).Result)
            {
                case SweepResult.Stopped:
                    return new(entry, SweepResult.Stopped);
                case SweepResult.Failed:
                    return new(entry, SweepResult.Failed, $"it begins with what {other.Run} trains, which failed");
            }
        return null;
    }

    async Task<SweepOutcome> One(string root, SweepEntry entry, int threads, CancellationToken stop)
    {
        var folder = Path.Combine(root, entry.Run);
        var tried = false;
        for (var told = false; ;)
        {
            var state = State(folder, entry.Spec);
            if (state == SweepState.Finished)
                return new(entry, tried || entry.State != SweepState.Finished ? SweepResult.Finished : SweepResult.Skipped);
            if (stop.IsCancellationRequested) return new SweepOutcome(entry, SweepResult.Stopped);
            if (state == SweepState.Running)
            {
                // The child of a sweep that was killed, or someone else's: it will finish the run or leave it to be resumed.
                if (!told) lock (telling) observer.Waiting(entry, RunLock.Holder(folder));
                told = true;
                try { await Task.Delay(PollInterval, stop); }
                catch (OperationCanceledException) { }
                continue;
            }
            if (tried) return Failure(folder, entry, "it ended without finishing");

            var request = new RunStart(entry.Spec, entry.Run, state != SweepState.Missing, threads);
            lock (telling) observer.Started(request);
            RunExit exit;
            try { exit = await start(request, stop); }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                exit = new RunExit(-1, e is OperationCanceledException ? null : e.Message);
            }
            tried = true;
            state = State(folder, entry.Spec);
            if (stop.IsCancellationRequested && state != SweepState.Finished) return new SweepOutcome(entry, SweepResult.Stopped);
            // A process that lost the race for the folder fails while the winner is at work: then it is waited for.
            if (exit.Code != 0 && state is not (SweepState.Running or SweepState.Finished))
                return Failure(folder, entry, exit.Message ?? $"its process ended with exit code {exit.Code}");
        }
    }

    static SweepState State(string folder, RunSpec spec)
    {
        if (!RunReader.IsRun(folder)) return SweepState.Missing;
        var run = RunReader.Load(folder);
        return run.Manifest.RecipeDigest == spec.Digest ? SweepPlan.StateOf(run.State)
            : throw new UserException($"{folder} has come to hold another run; start the sweep again");
    }

    // A run that failed shows in lists as one that failed, also where its process had no time to say so or never made the folder.
    static SweepOutcome Failure(string folder, SweepEntry entry, string message)
    {
        try
        {
            using var run = RunReader.IsRun(folder)
                ? RunFolder.Open(folder)
                : RunFolder.Create(
                    Path.GetDirectoryName(folder)!, RunManifest.Of(entry.Spec.Recipe, entry.Run), entry.Spec.RecipeText, exactName: true);
            if (run.Manifest is { State: RunState.Failed, Failure: { } known }) message = known;
            else if (run.Manifest.State != RunState.Interrupted) run.SetState(RunState.Failed, message);
            using var registry = RunRegistry.Open(Path.GetDirectoryName(folder)!);
            registry.Record(RunReader.Load(folder));
        }
        catch (UserException)
        {
            // The outcome tells the failure; that it could not be recorded is the lesser news.
        }
        return new SweepOutcome(entry, SweepResult.Failed, message);
    }
}
