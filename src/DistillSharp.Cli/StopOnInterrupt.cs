using System.Runtime.InteropServices;

namespace DistillSharp.Cli;

/// <summary>Turns the first Ctrl-C or SIGTERM into a request to end after the step under way; the second ends at once.</summary>
sealed class StopOnInterrupt : IDisposable
{
    readonly CancellationTokenSource source = new();
    readonly PosixSignalRegistration[] registrations;

    public StopOnInterrupt(Terminal terminal) =>
        registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            if (source.IsCancellationRequested) return;
            context.Cancel = true;
            terminal.Error.WriteLine("stopping after this step, with a checkpoint (once more to stop at once)");
            source.Cancel();
        }))];

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
        source.Dispose();
    }
}
