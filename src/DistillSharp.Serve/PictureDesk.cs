using System.Diagnostics;
using DistillSharp.Experiments.Measurement;
using DistillSharp.Experiments.Report;
using DistillSharp.Extending;

namespace DistillSharp.Serve;

/// <summary>Draws what needs the networks of runs (t-SNE, mistakes, matrices) when asked, one at a time; keeps the last few.</summary>
sealed class PictureDesk(string root, Toolkit toolkit, Pulse pulse) : IAsyncDisposable
{
    const int Kept = 4;

    readonly Lock gate = new();
    readonly List<(string Key, ReportData Data)> drawn = [];
    CancellationTokenSource? stop;
    Task work = Task.CompletedTask;
    volatile PictureState? state;

    /// <summary>How the last work stands; null before any.</summary>
    public PictureState? State => state;

    /// <summary>Begins to draw runs, unless they are drawn or being drawn already.</summary>
    /// <param name="names">The runs.</param>
    /// <param name="images">At most so many test images; all when null.</param>
    /// <returns>By what the pictures are asked for when they are done.</returns>
    /// <exception cref="UserException">Others are being drawn.</exception>
    public string Begin(IReadOnlyList<string> names, int? images)
    {
        lock (gate)
        {
            var key = $"{string.Join('+', names)}:{images?.ToString() ?? "all"}";
            if (!work.IsCompleted)
                return state?.Key == key ? key : throw new UserException(
                    "pictures of other runs are being drawn; wait for them, or stop them where they were asked for");
            stop?.Dispose();
            stop = new();
            var token = stop.Token;
            Tell(new(key, "working", "beginning"));
            work = Task.Run(() => Draw(key, names, images, token), CancellationToken.None);
            return key;
        }
    }

    public void Stop()
    {
        lock (gate) stop?.Cancel();
    }

    /// <summary>Pictures that were drawn; null when they are gone.</summary>
    public ReportData? Of(string key)
    {
        lock (gate) return drawn.FirstOrDefault(one => one.Key == key).Data;
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await work;
        stop?.Dispose();
    }

    void Draw(string key, IReadOnlyList<string> names, int? images, CancellationToken cancel)
    {
        try
        {
            var progress = new Timed(this, key);
            var measured = MeasuredRuns.Load(
                [.. names.Select(name => Path.Combine(root, name))], images: images, progress: progress, toolkit: toolkit, cancel: cancel);
            var data = new RunReport { Runs = measured.Runs, Images = measured.Images }.Data(cancel, progress);
            lock (gate)
            {
                drawn.RemoveAll(one => one.Key == key);
                drawn.Add((key, data));
                if (drawn.Count > Kept) drawn.RemoveAt(0);
            }
            Tell(new(key, "done", "drawn"));
        }
        catch (OperationCanceledException) { Tell(new(key, "stopped", "Stopped.")); }
        // The pictures failed, the page did not.
        catch (Exception e) when (e is not OutOfMemoryException) { Tell(new(key, "failed", e.Message)); }
    }

    void Tell(PictureState now)
    {
        state = now;
        pulse.Beat();
    }

    // Tells of the work a few times a second, with the time left by its speed so far.
    sealed class Timed(PictureDesk desk, string key) : IProgress<WorkProgress>
    {
        static readonly TimeSpan seldom = TimeSpan.FromMilliseconds(250);
        readonly Stopwatch clock = Stopwatch.StartNew();
        TimeSpan told = TimeSpan.MinValue, began;
        string work = "";

        public void Report(WorkProgress value)
        {
            var now = clock.Elapsed;
            if (value.Work != work) (work, began) = (value.Work, now);
            else if (now - told < seldom) return;
            told = now;
            double? left = value.Done > 0 && value.Total > 0 ? (now - began).TotalSeconds / value.Done * (value.Total - value.Done) : null;
            desk.Tell(new(key, "working", value.Work, value.Done, value.Total, left));
        }
    }
}
