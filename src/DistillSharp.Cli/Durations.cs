namespace DistillSharp.Cli;

static class Durations
{
    /// <summary>A time as people read it: <c>3:05</c>, <c>2 h 07 min</c>, <c>4 d 6 h</c>.</summary>
    public static string Shown(this TimeSpan time) =>
        time.TotalDays >= 2 ? $"{(int)time.TotalDays} d {time.Hours} h"
        : time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes:00} min" : $"{time.Minutes}:{time.Seconds:00}";
}
