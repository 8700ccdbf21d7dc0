using System.Diagnostics;
using Spectre.Console;

namespace DistillSharp.Cli;

/// <summary>
/// Shows how far long work is: on a terminal a bar for each part of it with the time left, elsewhere a line for each part and one
/// now and then. Nothing is shown of work that is told of without numbers but its name.
/// </summary>
abstract class WorkProgressView : IProgress<WorkProgress>
{
    public abstract void Report(WorkProgress value);

    /// <summary>Does work that tells of its progress.</summary>
    public static T During<T>(Terminal terminal, Func<IProgress<WorkProgress>, T> work)
    {
        if (!terminal.StyledError.Profile.Capabilities.Interactive) return work(new Lines(terminal));
        var progress = terminal.StyledError.Progress().Columns(new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new RemainingTimeColumn());
        return progress.Start(context => work(new Bars(context)));
    }

    sealed class Bars(ProgressContext context) : WorkProgressView
    {
        readonly Dictionary<string, ProgressTask> tasks = [];

        public override void Report(WorkProgress value)
        {
            if (!tasks.TryGetValue(value.Work, out var task))
            {
                // What is told of next begins when the last has ended, whether it said so or not.
                foreach (var ended in tasks.Values) ended.Value = ended.MaxValue;
                tasks[value.Work] = task = context.AddTask(Markup.Escape(value.Work), maxValue: Math.Max(1, value.Total));
            }
            task.IsIndeterminate = value.Total == 0;
            task.MaxValue = Math.Max(1, value.Total);
            task.Value = value.Done;
        }
    }

    sealed class Lines(Terminal terminal) : WorkProgressView
    {
        static readonly TimeSpan interval = TimeSpan.FromSeconds(15);
        readonly Stopwatch clock = Stopwatch.StartNew();
        readonly TimeLeft left = new();

        public override void Report(WorkProgress value)
        {
            if (left.IsNew(value)) terminal.Error.WriteLine(value.Work);
            else if (clock.Elapsed < interval) return;
            else terminal.Error.WriteLine(left.Describe(value));
            clock.Restart();
        }
    }
}
