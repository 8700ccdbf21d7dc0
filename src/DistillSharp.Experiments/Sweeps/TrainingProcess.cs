using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using DistillSharp.Experiments.Recipes;

namespace DistillSharp.Experiments.Sweeps;

/// <summary>
/// Starts the runs of a sweep as processes: <c>distill train RECIPE --name NAME --resume --runs ROOT</c>. Each is a session of
/// its own, so that Ctrl-C reaches the sweep alone, which asks it to stop once; and it writes to a file, so that it goes on
/// undisturbed when the sweep is killed. Recipes and logs lie in <c>.sweeps</c> below the folder of all runs.
/// </summary>
/// <param name="command">The command that stands for <c>distill</c>, with its first arguments.</param>
/// <param name="runsRoot">The folder of all runs.</param>
public sealed partial class TrainingProcess(IReadOnlyList<string> command, string runsRoot)
{
    /// <summary>Where recipes and logs lie, below the folder of all runs.</summary>
    public const string FolderName = ".sweeps";

    /// <summary>Where runs share what their teacher answered, in that folder.</summary>
    public const string AnswersName = "teacher-answers";

    const int Terminate = 15;

    // $0 is the log. A system without setsid runs the process in the sweep's own session.
    const string Launch =
        "if command -v setsid >/dev/null; then exec setsid \"$@\" >\"$0\" 2>&1 </dev/null; else exec \"$@\" >\"$0\" 2>&1 </dev/null; fi";

    /// <summary>The command that started this process, for a sweep within the tool itself.</summary>
    public static IReadOnlyList<string> ThisProgram { get; } =
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) != "dotnet"
            ? [path] : [Environment.ProcessPath ?? "dotnet", Assembly.GetEntryAssembly()!.Location];

    /// <summary>Starts a run's process and waits for its end.</summary>
    /// <param name="start">The run.</param>
    /// <param name="stop">Asks the process to end after the step under way.</param>
    /// <returns>Its exit code, and the last line it wrote.</returns>
    /// <exception cref="UserException">The process cannot be started.</exception>
    public async Task<RunExit> Start(RunStart start, CancellationToken stop)
    {
        var root = Path.GetFullPath(runsRoot);
        var folder = Path.Combine(root, FolderName);
        var (recipe, log) = (Path.Combine(folder, start.Run + ".yaml"), Path.Combine(folder, start.Run + ".log"));
        FileTrouble.Told($"cannot create {folder}", () => Directory.CreateDirectory(folder));
        AtomicFile.Write(recipe, Encoding.UTF8.GetBytes(start.Spec.RecipeText));

        string[] shared = start.Spec.SharesTeacher
            ? ["--set", $"train.teacher_folder={RecipeText.Quote(Path.Combine(folder, AnswersName))}"] : [];
        var info = new ProcessStartInfo(
            "/bin/sh", ["-c", Launch, log, .. command, "train", recipe, "--name", start.Run, "--resume", "--runs", root, .. shared]);
        var threads = start.Threads.ToString(CultureInfo.InvariantCulture);
        (info.Environment["OMP_NUM_THREADS"], info.Environment["DOTNET_PROCESSOR_COUNT"]) = (threads, threads);
        try
        {
            using var process = Process.Start(info)!;
            using var asked = stop.Register(() => _ = Kill(process.Id, Terminate));
            await process.WaitForExitAsync(CancellationToken.None);
            return new RunExit(process.ExitCode, process.ExitCode == 0 ? null : LastLine(log) ?? Ending(process.ExitCode));
        }
        catch (Win32Exception e) { throw new UserException($"cannot start {command[0]}: {e.Message}", e); }
    }

    static string Ending(int code) =>
        code > 128 ? $"its process was ended by signal {code - 128}" : $"its process ended with exit code {code}";

    static string? LastLine(string log)
    {
        const int tail = 4096;
        try
        {
            using var file = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Position = Math.Max(0, file.Length - tail);
            using var reader = new StreamReader(file);
            var line = reader.ReadToEnd().Split('\n').LastOrDefault(l => !string.IsNullOrWhiteSpace(l))?.Trim();
            return line is null ? null : line.Length <= 500 ? line : line[..500];
        }
        catch (Exception e) when (FileTrouble.Is(e)) { return null; }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
