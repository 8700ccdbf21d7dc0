using System.Runtime.InteropServices;

namespace DistillSharp.Cli;

/// <summary>The first Ctrl-C, SIGTERM, SIGQUIT or SIGHUP asks to end after what is under way; the second ends at once.</summary>
sealed class StopOnInterrupt : IDisposable
{
    readonly CancellationTokenSource source = new();
    readonly PosixSignalRegistration[] registrations;

    public StopOnInterrupt(Terminal terminal, string saying = "stopping after this step, with a checkpoint") =>
        registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP }.Where(IsHeard)
            .Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            if (source.IsCancellationRequested) return;
            context.Cancel = true;
            terminal.Error.WriteLine($"{saying} (once more to stop at once)");
            source.Cancel();
        }))];

    public CancellationToken Token => source.Token;

    // Under nohup a lost connection is to change nothing.
    static bool IsHeard(PosixSignal signal)
    {
        const int hangup = 1;
        const string status = "/proc/self/status", ignored = "SigIgn:";
        if (signal != PosixSignal.SIGHUP || !File.Exists(status)) return true;
        var mask = File.ReadLines(status).FirstOrDefault(line => line.StartsWith(ignored, StringComparison.Ordinal))?[ignored.Length..]
            .Trim();
        return !ulong.TryParse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var set) || (set >> (hangup - 1) & 1) == 0;
    }

    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
        source.Dispose();
    }
}
