using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DistillSharp.Experiments.Launching;

/// <summary>One of several processes. Process 0 writes where the launcher does; of the others the last lines are kept.</summary>
sealed partial class LaunchedProcess : IDisposable
{
    const int KeptLines = 10;

    readonly Process process;
    readonly Queue<string> lines = new();

    public LaunchedProcess(int rank, ProcessStartInfo start)
    {
        Rank = rank;
        start.RedirectStandardOutput = start.RedirectStandardError = rank > 0;
        try { process = Process.Start(start)!; }
        catch (Win32Exception error) { throw new UserException($"cannot start {start.FileName}: {error.Message}", error); }
        if (rank == 0) return;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Rank { get; }

    public int Id => process.Id;

    /// <summary>The exit code; as in a shell, 128 and the signal's number for a process that a signal ended.</summary>
    public int ExitCode => process.ExitCode;

    /// <summary>The last that it wrote; nothing of process 0.</summary>
    public IReadOnlyList<string> LastLines()
    {
        lock (lines) return [.. lines];
    }

    /// <summary>Returns the process when it has ended.</summary>
    public async Task<LaunchedProcess> Ended()
    {
        await process.WaitForExitAsync(CancellationToken.None);
        return this;
    }

    public void Send(PosixSignal signal)
    {
        const int terminate = 15, kill = 9;
        if (!process.HasExited) _ = Kill(process.Id, signal == PosixSignal.SIGTERM ? terminate : kill);
    }

    public void End()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
    }

    public void Dispose() => process.Dispose();

    void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return;
        lock (lines)
        {
            if (lines.Count == KeptLines) lines.Dequeue();
            lines.Enqueue(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
