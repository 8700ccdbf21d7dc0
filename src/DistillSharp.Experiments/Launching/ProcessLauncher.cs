using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using DistillSharp.Experiments.Execution;

namespace DistillSharp.Experiments.Launching;

/// <summary>How processes that were started together ended.</summary>
/// <param name="ExitCode">0 where all ended well, else the code of the one that ended first.</param>
/// <param name="Failure">Which one failed and how, and its last lines; null where none did, or where they were asked to stop.</param>
public sealed record LaunchResult(int ExitCode, string? Failure);

/// <summary>
/// Starts processes on this machine that train together, each told by torchrun's variables which one it is. When one fails, the others
/// notice that it is gone and end by themselves; those that do not are ended.
/// </summary>
/// <param name="processes">How many.</param>
/// <param name="command">The command of each.</param>
public sealed class ProcessLauncher(int processes, IReadOnlyList<string> command)
{
    /// <summary>How long the others may take to end by themselves after one failed, and again after they were asked to.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one process waits for another; null for the usual.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Told of each process that is started: its rank and its number in the system.</summary>
    public Action<int, int> Started { get; init; } = (_, _) => { };

    /// <summary>Starts the processes and waits for their end.</summary>
    /// <exception cref="UsageException">There are fewer than 1.</exception>
    /// <exception cref="UserException">A process cannot be started.</exception>
    public async Task<LaunchResult> Run()
    {
        if (processes < 1) throw new UsageException($"{processes} processes are none; give 1 or more");
        var port = FreePort();
        var started = new List<LaunchedProcess>();
        var asked = false;
        // Ctrl-C reaches the processes as well, which then stop after the step under way; a signal to this process alone is passed on.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = asked = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = asked = true;
            foreach (var process in started) process.Send(PosixSignal.SIGTERM);
        });
        try
        {
            for (var rank = 0; rank < processes; rank++)
            {
                started.Add(new(rank, Start(rank, port)));
                Started(rank, started[^1].Id);
            }
            return await Watch(started) is { } failed
                ? new(failed.ExitCode > 128 ? 1 : failed.ExitCode, asked ? null : Describe(failed)) : new(0, null);
        }
        finally
        {
            foreach (var process in started)
            {
                process.End();
                process.Dispose();
            }
        }
    }

    // The first that ended badly; null where none did.
    async Task<LaunchedProcess?> Watch(IReadOnlyList<LaunchedProcess> started)
    {
        var running = started.Select(process => process.Ended()).ToList();
        while (running.Count > 0)
        {
            var ended = await Task.WhenAny(running);
            running.Remove(ended);
            if ((await ended).ExitCode == 0) continue;
            foreach (var signal in new PosixSignal?[] { null, PosixSignal.SIGTERM })
            {
                if (signal is { } sent)
                    foreach (var process in started) process.Send(sent);
                await Task.WhenAny(Task.WhenAll(running), Task.Delay(Patience));
                if (running.All(task => task.IsCompleted)) break;
            }
            return await ended;
        }
        return null;
    }

    string Describe(LaunchedProcess failed)
    {
        var how = failed.ExitCode > 128 ? $"was ended by signal {failed.ExitCode - 128}" : $"ended with exit code {failed.ExitCode}";
        var lines = failed.LastLines();
        return $"process {failed.Rank} of {processes} {how}, and the others were ended with it" +
            (lines.Count == 0 ? "" : $"; its last lines:\n{string.Join('\n', lines.Select(line => $"  {line}"))}");
    }

    ProcessStartInfo Start(int rank, int port)
    {
        ProcessStartInfo start = new(command[0], command.Skip(1));
        var variables = start.Environment;
        (variables["RANK"], variables["LOCAL_RANK"], variables["WORLD_SIZE"]) = (Text(rank), Text(rank), Text(processes));
        (variables["MASTER_ADDR"], variables["MASTER_PORT"]) = ("127.0.0.1", Text(port));
        if (Timeout is { } timeout) variables[ProcessVariables.TimeoutName] = Text((int)Math.Ceiling(timeout.TotalSeconds));
        // They share the cores, unless the user has shared them out.
        var threads = Text(Math.Max(1, Environment.ProcessorCount / processes));
        foreach (var name in new[] { "OMP_NUM_THREADS", "DOTNET_PROCESSOR_COUNT" })
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))) variables[name] = threads;
        return start;
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
