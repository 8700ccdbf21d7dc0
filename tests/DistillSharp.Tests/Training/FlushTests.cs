using System.Diagnostics;
using System.Text.RegularExpressions;
using DistillSharp.Experiments.Runs;
using DistillSharp.Torch;
using DistillSharp.Training;

namespace DistillSharp.Tests.Training;

/// <summary>
/// A power cut keeps what was flushed and loses the rest, in any order. So each file is flushed before it gets its name, and
/// the folder after. Only the calls to the kernel show it.
/// </summary>
public sealed class FlushTests : IDisposable
{
    public const string Role = "write-durably";

    readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>The child: writes what a run writes.</summary>
    public static int Write(string[] arguments)
    {
        var root = arguments[0];
        new CheckpointStore(Path.Combine(root, "checkpoints"))
            .Save(new(new() { Step = 7 }, [new("a", DType.Float32, [2], new byte[8])]), best: true);
        new MetricsLog(Path.Combine(root, RunFiles.Metrics))
            .Append(new()
            {
                Epoch = 1, Step = 7, Loss = 1, Terms = new Dictionary<string, double>(), Lr = 0.1, ImagesPerSecond = 1, Seconds = 1
            });
        return 0;
    }

    [StraceFact]
    public void Every_file_reaches_the_disk_before_it_has_its_name_and_the_folder_after()
    {
        var root = folder.Path;
        var calls = Strace.Run(folder["log"], "fsync,fdatasync,rename,renameat,renameat2", [.. ChildProgram.Command, Role, root])
            .Where(call => call.Contains(root + "/", StringComparison.Ordinal) || call.Contains($"<{root}>", StringComparison.Ordinal))
                .ToList();
        string Shown() => string.Join('\n', calls);
        int Find(string pattern, int from)
        {
            var at = calls.FindIndex(from, call => Regex.IsMatch(call, pattern));
            Assert.True(at >= 0, $"no {pattern} from line {from} on:\n{Shown()}");
            return at;
        }

        var checkpoints = $"{root}/checkpoints";
        // The folder of checkpoints is new: its own name must last, too.
        var made = Find($@"^fsync\(\d+<{root}>\)", 0);
        var after = made;
        foreach (var file in new[] { "best", "step-000000007" })
        {
            var flushed = Find($@"^fsync\(\d+<{checkpoints}/{file}\.safetensors\.\w+\.tmp>\)", after);
            var renamed = Find(
                $@"^rename.*""{checkpoints}/{file}\.safetensors\.\w+\.tmp"",.*""{checkpoints}/{file}\.safetensors""", flushed + 1);
            after = Find($@"^fsync\(\d+<{checkpoints}>\)", renamed + 1);
        }
        Assert.Equal(2, calls.Count(call => call.StartsWith("rename", StringComparison.Ordinal)));
        var line = Find($@"^fsync\(\d+<{root}/{RunFiles.Metrics}>\)", after);
        Find($@"^fsync\(\d+<{root}>\)", line + 1);
        Assert.All(calls, call => Assert.EndsWith(" = 0", call));
    }
}

/// <summary>The calls that a program makes to the kernel.</summary>
static class Strace
{
    static readonly Lazy<bool> possible = new(() =>
    {
        using var folder = new TemporaryFolder();
        try { return Run(folder["log"], "execve", ["true"]).Count > 0; }
        catch (System.ComponentModel.Win32Exception) { return false; }
    });

    public static bool IsPossible => OperatingSystem.IsLinux() && possible.Value;

    /// <summary>
    /// Runs a program and returns the calls of the kinds asked for, those of all its threads in order, descriptors with their paths.
    /// </summary>
    public static IReadOnlyList<string> Run(string log, string kinds, string[] program)
    {
        using var process = Process.Start(new ProcessStartInfo("strace",
            ["-f", "-y", "--seccomp-bpf", "-s", "4096", "-e", $"trace={kinds}", "-o", log, .. program])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (!File.Exists(log)) return [];
        Assert.True(process.ExitCode == 0, error.Result);
        // A line begins with the thread's number; threads that wait for each other write theirs in two parts, which no call here does.
        return [.. File.ReadLines(log).Select(line => line[(line.IndexOf(' ') + 1)..].TrimStart())];
    }
}

/// <summary>A fact that runs only where a program's calls to the kernel can be seen.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class StraceFactAttribute : FactAttribute
{
    public StraceFactAttribute()
    {
        if (!Strace.IsPossible) Skip = "there is no strace, or it may not watch a program (Debian: strace)";
    }
}
