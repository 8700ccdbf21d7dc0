using System.Numerics;

namespace DistillSharp.Cli;

/// <summary>Figures as people read them.</summary>
static class Figures
{
    /// <summary>A time: <c>3:05</c>, <c>2 h 07 min</c>, <c>4 d 6 h</c>.</summary>
    public static string Shown(this TimeSpan time) =>
        time.TotalDays >= 2 ? $"{(int)time.TotalDays} d {time.Hours} h"
        : time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes:00} min" : $"{time.Minutes}:{time.Seconds:00}";

    /// <summary>A speed in images per second, a small one with its first digits; nothing where it is not known.</summary>
    public static string Rate(double? imagesPerSecond) => imagesPerSecond switch
    {
        >= 9.95 => imagesPerSecond.Value.ToString("0", CultureInfo.InvariantCulture),
        > 0 => imagesPerSecond.Value.ToString("0.0##", CultureInfo.InvariantCulture),
        _ => "",
    };

    /// <summary>Accuracies in percent: <c>Acc1 71.20 %, Acc5 92.40 %</c>; what was not measured, or says nothing, is left out.</summary>
    public static string Accuracies(double? acc1, double? acc5) => string.Join(", ", new[] { ("Acc1", acc1), ("Acc5", acc5) }
        .Where(figure => figure.Item2 is not null)
        .Select(figure => string.Create(CultureInfo.InvariantCulture, $"{figure.Item1} {figure.Item2:0.00} %")));

    /// <summary>A percentage in a table; nothing where it was not measured.</summary>
    public static string Percent(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";

    /// <summary>A count with its noun: <c>1 epoch</c>, <c>240 epochs</c>.</summary>
    public static string Of<T>(this T count, string noun) where T : INumber<T> =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {noun}{(count == T.One ? "" : "s")}");
}
