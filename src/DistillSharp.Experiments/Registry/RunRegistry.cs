using System.Text.Json;
using DistillSharp.Experiments.Runs;

namespace DistillSharp.Experiments.Registry;

/// <summary>What <see cref="RunRegistry.Rebuild"/> did.</summary>
/// <param name="Runs">How many run folders were read.</param>
/// <param name="Problems">Folders that could not be read, a sentence each; they are not in the registry.</param>
public sealed record RebuildReport(int Runs, IReadOnlyList<string> Problems);

/// <summary>
/// All runs below one folder in an embedded SQLite file, <c>runs.db</c>, for lists, filters and comparisons. It only
/// repeats what the run folders say, and <see cref="Rebuild"/> recreates it from them. Any number of processes may record
/// and read at once; one object may be used by several threads.
/// </summary>
public sealed partial class RunRegistry : IDisposable
{
    /// <summary>The file's name in the folder of all runs.</summary>
    public const string FileName = "runs.db";

    readonly RegistryDatabase database;

    RunRegistry(string root, RegistryDatabase database) => (Root, this.database) = (root, database);

    /// <summary>The folder of all runs.</summary>
    public string Root { get; }

    /// <summary>Opens the registry of a folder of runs. A file that is missing is created and filled from the run folders.</summary>
    /// <param name="runsRoot">The folder of all runs; it is created when absent.</param>
    /// <exception cref="UserException">It is damaged, of another version, or cannot be opened; the message says what helps.</exception>
    public static RunRegistry Open(string runsRoot)
    {
        var root = Path.GetFullPath(runsRoot);
        FileTrouble.Told($"cannot create the folder of runs {root}", () => Directory.CreateDirectory(root));
        return new RunRegistry(root, new RegistryDatabase(Path.Combine(root, FileName), d => Fill(root, d)));
    }

    /// <summary>The runs of a folder that a filter lets through, oldest first; none of a folder that is not there.</summary>
    /// <exception cref="UserException">As <see cref="Open"/>.</exception>
    public static IReadOnlyList<RunSummary> ListIn(string runsRoot, RunFilter? filter = null)
    {
        if (!Directory.Exists(runsRoot)) return [];
        using var registry = Open(runsRoot);
        return registry.List(filter ?? RunFilter.All);
    }

    /// <summary>Recreates the registry of a folder of runs from the folders, also where its file is damaged.</summary>
    /// <remarks>Processes that are recording meanwhile wait until it is done. A damaged file is kept as <c>runs.db.damaged</c>.</remarks>
    /// <exception cref="UserException">The file cannot be written.</exception>
    public static RebuildReport Rebuild(string runsRoot)
    {
        var root = Path.GetFullPath(runsRoot);
        if (!Directory.Exists(root)) throw new UserException($"there is no folder of runs {root}");
        var path = Path.Combine(root, FileName);
        RebuildReport report = new(0, []);
        try
        {
            using var registry = Open(root);
            registry.database.Write(() =>
            {
                registry.database.Execute("delete from runs");
                report = Fill(root, registry.database);
            });
        }
        catch (UnusableRegistryException)
        {
            RegistryDatabase.SetAside(path);
            using var database = new RegistryDatabase(path, d => report = Fill(root, d));
        }
        return report;
    }

    /// <summary>Records a run with its settings and all its metrics, replacing what was known of it.</summary>
    /// <exception cref="UserException">The registry cannot be written, or the recipe is no YAML.</exception>
    public void Record(RunReader run) => database.Write(() => Insert(database, run));

    /// <summary>Updates a run's record: its state, its end. Its settings and metrics stay.</summary>
    /// <exception cref="UserException">The run is not in the registry, or the registry cannot be written.</exception>
    public void Update(RunManifest record)
    {
        var columns = Columns(record);
        var changes = string.Join(", ", columns.Select(column => $"{column.Name} = ${column.Name}"));
        database.Write(() =>
        {
            if (database.Execute($"update runs set {changes} where name = $name", columns) == 0) throw Unknown(record.Name);
        });
    }

    /// <summary>Records an epoch of a run, replacing the same epoch.</summary>
    /// <exception cref="UserException">The run is not in the registry, or the registry cannot be written.</exception>
    public void Record(string run, EpochMetrics metrics) => database.Write(() =>
    {
        if (!Knows(run)) throw Unknown(run);
        PutMetrics(database, run, metrics);
    });

    /// <summary>Removes a run: its folder with all its checkpoints, and its entry.</summary>
    /// <exception cref="UserException">There is no such run, or a process works in it (the message names its pid).</exception>
    public void Remove(string run)
    {
        RunName.Check(run);
        var folder = Path.Combine(Root, run);
        var exists = Directory.Exists(folder);
        if (exists && !RunReader.IsRun(folder)) throw new UserException($"{folder} is no run: it holds no {RunFiles.Manifest}");
        if (!exists && !Knows(run)) throw new UserException($"there is no run named '{run}' in {Root}");
        if (exists)
        {
            using var held = RunLock.Take(folder);
            // The rename takes the run away at once; a deletion cut off in its middle leaves no half run.
            var doomed = Path.Combine(Root, $".creating-{Guid.NewGuid():N}");
            try
            {
                Directory.Move(folder, doomed);
                Directory.Delete(doomed, recursive: true);
            }
            catch (Exception e) when (FileTrouble.Is(e)) { throw FileTrouble.Report($"cannot remove {folder}", e); }
        }
        database.Write(() => database.Execute("delete from runs where name = $name", ("$name", run)));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => database.Dispose();

    bool Knows(string run) => database.Query("select 1 from runs where name = $name", _ => true, ("$name", run)).Count > 0;

    UserException Unknown(string run) =>
        new($"the run '{run}' is not in {database.FilePath}; 'distill runs rebuild' reads it from its folder");

    static RebuildReport Fill(string root, RegistryDatabase database)
    {
        var problems = new List<string>();
        var count = 0;
        foreach (var folder in RunReader.FoldersIn(root))
            try
            {
                Insert(database, RunReader.Load(folder));
                count++;
            }
            catch (UserException e) { problems.Add(e.Message); }
        return new RebuildReport(count, problems);
    }

    static void Insert(RegistryDatabase database, RunReader run)
    {
        var (record, settings) = (run.Manifest, run.Settings());
        database.Execute("delete from runs where name = $name", ("$name", record.Name));
        var columns = Columns(record);
        var (names, values) = (columns.Select(column => column.Name), columns.Select(column => $"${column.Name}"));
        database.Execute($"insert into runs({string.Join(", ", names)}) values({string.Join(", ", values)})", columns);
        foreach (var (path, value) in settings)
            database.Execute("insert into settings(run, path, value) values($run, $path, $value)",
                ("$run", record.Name), ("$path", path), ("$value", value));
        foreach (var epoch in run.Metrics) PutMetrics(database, record.Name, epoch);
    }

    // The columns of a run's row with their values.
    static (string Name, object? Value)[] Columns(RunManifest record) =>
    [
        ("name", record.Name), ("state", record.State.ToString().ToLowerInvariant()), ("created", Time(record.Created)),
        ("finished", record.Finished is { } end ? Time(end) : null), ("dataset", record.Dataset), ("teacher", record.Teacher),
        ("student", record.Student), ("method", record.MethodLabel), ("policy", record.Policy), ("seed", record.Seed),
        ("epochs", record.Epochs), ("batch", record.Batch), ("precision", record.Precision), ("parameters", record.Parameters),
        ("train_images", record.TrainImages), ("recipe_digest", record.RecipeDigest),
        ("record", JsonSerializer.Serialize(record, RunJson.Default.RunManifest)),
    ];

    static void PutMetrics(RegistryDatabase database, string run, EpochMetrics m) => database.Execute("""
        insert or replace into metrics(run, epoch, step, acc1, acc5, loss, lr, images_per_second, seconds, terms)
        values($run, $epoch, $step, $acc1, $acc5, $loss, $lr, $speed, $seconds, $terms)
        """,
        ("$run", run), ("$epoch", m.Epoch), ("$step", m.Step), ("$acc1", m.Acc1), ("$acc5", m.Acc5), ("$loss", m.Loss),
        ("$lr", m.Lr), ("$speed", m.ImagesPerSecond), ("$seconds", m.Seconds),
        ("$terms", JsonSerializer.Serialize(m.Terms.ToDictionary(), RunJson.Default.DictionaryStringDouble)));

    static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
