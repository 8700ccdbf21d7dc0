using System.Diagnostics;

namespace DistillSharp.Cli;

/// <summary>Describes how far work is, with the time left at the speed that it had so far.</summary>
sealed class TimeLeft
{
    readonly Stopwatch clock = Stopwatch.StartNew();
    string work = "";

    /// <summary>Whether this is other work than before; its time begins now.</summary>
    public bool IsNew(WorkProgress value)
    {
        if (value.Work == work) return false;
        work = value.Work;
        clock.Restart();
        return true;
    }

    /// <summary>The work in words: its name, its share, the time left where that is known.</summary>
    public string Describe(WorkProgress value)
    {
        IsNew(value);
        if (value.Total == 0) return value.Work;
        var left = value.Done == 0 ? "" : $", {(clock.Elapsed / value.Done * (value.Total - value.Done)).Shown()} left";
        return $"{value.Work}: {100 * value.Done / value.Total} %{left}";
    }
}
