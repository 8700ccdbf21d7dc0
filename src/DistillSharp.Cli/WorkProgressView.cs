using DistillSharp.Onnx;
using Spectre.Console;

namespace DistillSharp.Cli;

/// <summary>Shows long work as it goes: a bar with the time left on a terminal, a line at the start of each part anywhere else.</summary>
static class WorkProgressView
{
    /// <summary>Does work that reports its progress.</summary>
    public static T During<T>(Terminal terminal, Func<IProgress<WorkProgress>, T> work)
    {
        if (!terminal.StyledError.Profile.Capabilities.Interactive) return work(new Lines(terminal));
        return terminal.StyledError.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new Bars(context)));
    }

    sealed class Lines(Terminal terminal) : IProgress<WorkProgress>
    {
        string? last;

        public void Report(WorkProgress value)
        {
            if (value.What != last) terminal.Error.WriteLine($"{value.What} ...");
            last = value.What;
        }
    }

    sealed class Bars(ProgressContext context) : IProgress<WorkProgress>
    {
        ProgressTask? task;

        public void Report(WorkProgress value)
        {
            if (task?.Description != Markup.Escape(value.What))
            {
                task?.StopTask();
                task = context.AddTask(Markup.Escape(value.What));
            }
            task.MaxValue = Math.Max(1, value.Of);
            task.Value = value.Done;
        }
    }
}
