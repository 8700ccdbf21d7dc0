using System.Diagnostics;

namespace DistillSharp.Tests;

/// <summary>
/// The entry point of this assembly when a test starts it as a process of its own: <c>dotnet exec DistillSharp.Tests.dll ROLE
/// ARGUMENTS</c>.
/// Locks, kills and shared files are only tested honestly between processes.
/// </summary>
public static class ChildProgram
{
    static readonly Dictionary<string, Func<string[], int>> roles = new()
    {
        [Methods.CrdTests.MemoryRole] = Methods.CrdTests.PrintMemory,
        [Methods.RkdTests.MemoryRole] = Methods.RkdTests.PrintMemory,
        [Experiments.Runs.RunFolderTests.HoldRole] = Experiments.Runs.RunFolderTests.Hold,
        [Experiments.Runs.MetricsLogTests.FillRole] = Experiments.Runs.MetricsLogTests.Fill,
        [Experiments.Registry.RunRegistryConcurrencyTests.RecordRole] = Experiments.Registry.RunRegistryConcurrencyTests.Record,
        [Experiments.Sweeps.SweepKillTests.SweepRole] = Experiments.Sweeps.SweepKillTests.Sweep,
        [Experiments.Sweeps.SweepKillTests.TrainRole] = Experiments.Sweeps.SweepKillTests.Train,
        [Training.FlushTests.Role] = Training.FlushTests.Write,
        [Training.KernelSetTests.Role] = Training.KernelSetTests.Print,
        [Training.KilledRunTests.TrainRole] = Training.KilledRunTests.Train,
        [Training.Joint.KilledProcessTests.TrainRole] = Training.Joint.KilledProcessTests.Train,
        [Onnx.TelemetryTests.Role] = Onnx.TelemetryTests.Open,
    };

    public static int Main(string[] arguments)
    {
        if (arguments is [var role, .. var rest] && roles.TryGetValue(role, out var run)) return run(rest);
        Console.Error.WriteLine($"this is a test assembly: run it with 'dotnet test' (roles: {string.Join(", ", roles.Keys)})");
        return 2;
    }

    /// <summary>Starts a child in a role, its standard streams redirected.</summary>
    public static Process Start(string role, params string[] arguments) => Start([.. Command, role, .. arguments]);

    /// <summary>The same from a shell that first runs some commands of its own (limits, signals, variables).</summary>
    public static Process StartIn(string prepare, string role, params string[] arguments) =>
        Start(["bash", "-c", prepare + "; exec \"$@\"", "bash", .. Command, role, .. arguments]);

    /// <summary>The command that starts a child; its role and arguments follow.</summary>
    public static string[] Command { get; } =
    [
        Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
        "exec", typeof(ChildProgram).Assembly.Location,
    ];

    static Process Start(string[] command) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
    })!;
}
