using System.Text.Json;

namespace DistillSharp.Experiments.Runs;

/// <summary>A run folder, read without touching it: anyone may look at a run while it trains.</summary>
public sealed class RunReader
{
    // run.json is a page of text; anything larger was not written by this program.
    const long LongestRecord = 4 << 20;

    RunReader(string path, RunManifest record, string recipe, IReadOnlyList<EpochMetrics> metrics, int? process)
    {
        (Path, Manifest, Recipe, Metrics, Process) = (path, record, recipe, metrics, process);
        State = record.State == RunState.Running && process is null ? RunState.Interrupted : record.State;
    }

    /// <summary>The run's folder.</summary>
    public string Path { get; }

    /// <summary>What <c>run.json</c> says.</summary>
    public RunManifest Manifest { get; }

    /// <summary>The resolved recipe's text.</summary>
    public string Recipe { get; }

    /// <summary>The epochs so far, in order.</summary>
    public IReadOnlyList<EpochMetrics> Metrics { get; }

    /// <summary>The pid of the process that holds the run's lock now, or null.</summary>
    public int? Process { get; }

    /// <summary>The state as it is: a run whose process died without a word is interrupted, whatever was written.</summary>
    public RunState State { get; }

    /// <summary>Whether a folder holds a run.</summary>
    public static bool IsRun(string path) => File.Exists(System.IO.Path.Combine(path, RunFiles.Manifest));

    /// <summary>Reads a run folder.</summary>
    /// <exception cref="UserException">The folder is no run, or its record cannot be read.</exception>
    public static RunReader Load(string path)
    {
        var folder = System.IO.Path.GetFullPath(path);
        // The lock is looked at before the record: a run that ends in between is then read as ended, not as cut off.
        var process = RunLock.IsHeld(folder) ? RunLock.Holder(folder) ?? 0 : (int?)null;
        return new RunReader(folder, ReadManifest(folder), ReadRecipe(folder),
            MetricsLog.Read(System.IO.Path.Combine(folder, RunFiles.Metrics)), process);
    }

    internal IReadOnlyDictionary<string, string> Settings() =>
        Recipes.RecipeSettings.Of(Recipe, System.IO.Path.Combine(Path, RunFiles.Recipe));

    /// <summary>The folders below a root that hold runs, by name. Folders without a record are none.</summary>
    public static IReadOnlyList<string> FoldersIn(string runsRoot)
    {
        if (!Directory.Exists(runsRoot)) return [];
        return FileTrouble.Told<IReadOnlyList<string>>($"cannot list {runsRoot}", () => [.. Directory.EnumerateDirectories(runsRoot)
            .Where(f => !System.IO.Path.GetFileName(f).StartsWith('.') && IsRun(f)).Order(StringComparer.Ordinal)]);
    }

    internal static RunManifest ReadManifest(string folder)
    {
        var path = System.IO.Path.Combine(folder, RunFiles.Manifest);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > LongestRecord) throw new UserException($"{path} is {file.Length} bytes long and no run record");
            var record = JsonSerializer.Deserialize(file, RunJson.Default.RunManifest)
                ?? throw new UserException($"{path} holds null instead of a run record");
            return record with { Name = System.IO.Path.GetFileName(folder), Methods = record.Methods ?? [] };
        }
        catch (JsonException e) { throw new UserException($"{path}, line {e.LineNumber + 1}: not a run record: {e.Message}", e); }
        catch (FileNotFoundException e) { throw new UserException($"{folder} is no run: it holds no {RunFiles.Manifest}", e); }
        catch (DirectoryNotFoundException e) { throw new UserException($"there is no run folder {folder}", e); }
        catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot read {path}", e); }
    }

    internal static string ReadRecipe(string folder)
    {
        var path = System.IO.Path.Combine(folder, RunFiles.Recipe);
        return FileTrouble.Told($"cannot read {path}", () => File.ReadAllText(path));
    }
}
