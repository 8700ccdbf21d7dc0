using System.Diagnostics;
using System.Globalization;

namespace DistillSharp.Cli;

/// <summary>
/// Shows how many of many things are done and how long the rest will take: one live line on a terminal, a line now and then elsewhere.
/// </summary>
/// <param name="terminal">Where it is shown.</param>
/// <param name="done">What happens to them, as in "read".</param>
sealed class CountingView(Terminal terminal, string done) : IDisposable
{
    const string Erase = "\r\u001b[2K";
    const int BarLength = 24;

    readonly Stopwatch clock = Stopwatch.StartNew();
    readonly bool live = terminal.StyledError.Profile.Capabilities.Interactive;
    TimeSpan shown = TimeSpan.Zero;
    bool stands;

    /// <summary>Shows where it stands, if it was long ago.</summary>
    public void Show(int count, int total)
    {
        var now = clock.Elapsed;
        if (now - shown < (live ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(15))) return;
        shown = now;
        var left = TimeSpan.FromSeconds(now.TotalSeconds / count * (total - count));
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{count:N0} of {total:N0} {done}, {count / now.TotalSeconds:0} images/s, {left.Shown()} left");
        if (!live)
        {
            terminal.Error.WriteLine(text);
            return;
        }
        var full = (int)((long)BarLength * count / total);
        terminal.Error.Write($"{Erase}{new string('━', full)}{new string('╌', BarLength - full)} {text}");
        stands = true;
    }

    /// <summary>Takes the live line away.</summary>
    public void Dispose()
    {
        if (stands) terminal.Error.Write(Erase);
    }
}
