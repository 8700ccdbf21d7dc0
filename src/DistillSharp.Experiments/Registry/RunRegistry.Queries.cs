using System.Text.Json;
using DistillSharp.Experiments.Recipes;
using DistillSharp.Experiments.Runs;
using Microsoft.Data.Sqlite;

namespace DistillSharp.Experiments.Registry;

public sealed partial class RunRegistry
{
    const string SummaryColumns = """
        with counted as (select run, count(*) epochs_done, avg(images_per_second) speed, sum(seconds) seconds from metrics group by run),
             evaluated as (select run, epoch, acc1, acc5,
                 row_number() over (partition by run order by epoch desc) from_end,
                 row_number() over (partition by run order by acc1 desc, epoch) from_best
                 from metrics where acc1 is not null)
        select runs.record, counted.epochs_done, final.acc1, final.acc5, best.acc1, best.epoch, counted.speed, counted.seconds
        from runs
        left join counted on counted.run = runs.name
        left join evaluated final on final.run = runs.name and final.from_end = 1
        left join evaluated best on best.run = runs.name and best.from_best = 1
        """;

    /// <summary>The runs that a filter lets through, oldest first.</summary>
    /// <exception cref="UserException">The registry cannot be read.</exception>
    public IReadOnlyList<RunSummary> List(RunFilter filter)
    {
        var (where, parameters) = Where(filter);
        var rows = Summaries(where, parameters);
        return filter.State is { } state ? [.. rows.Where(r => r.State == state)] : rows;
    }

    /// <summary>One run by name, or null.</summary>
    /// <exception cref="UserException">The registry cannot be read.</exception>
    public RunSummary? Find(string run) => Summaries("where runs.name = $name", ("$name", run)).FirstOrDefault();

    /// <summary>A run's epochs, in order.</summary>
    /// <exception cref="UserException">The registry cannot be read.</exception>
    public IReadOnlyList<EpochMetrics> Metrics(string run) => database.Query("""
        select epoch, step, acc1, acc5, loss, lr, images_per_second, seconds, terms from metrics where run = $run order by epoch
        """, r => new EpochMetrics
    {
        Epoch = r.GetInt32(0), Step = r.GetInt64(1), Acc1 = Number(r, 2), Acc5 = Number(r, 3),
        Loss = Number(r, 4) ?? double.NaN, Lr = Number(r, 5) ?? double.NaN,
        ImagesPerSecond = Number(r, 6) ?? double.NaN, Seconds = Number(r, 7) ?? double.NaN,
        Terms = JsonSerializer.Deserialize(r.GetString(8), RunJson.Default.DictionaryStringDouble) ?? [],
    }, ("$run", run));

    /// <summary>The name of a run that is given by its name or by its folder.</summary>
    /// <exception cref="UserException">The folder is not one of <see cref="Root"/>.</exception>
    public string NameOf(string nameOrFolder)
    {
        if (!nameOrFolder.Contains(Path.DirectorySeparatorChar)) return nameOrFolder;
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(nameOrFolder));
        return Path.GetDirectoryName(folder) == Path.TrimEndingDirectorySeparator(Root) ? Path.GetFileName(folder)
            : throw new UserException($"{nameOrFolder} is no run of {Root}; give its name, or the folder of all runs that holds it");
    }

    /// <summary>One run by name.</summary>
    /// <exception cref="UserException">It is not in the registry.</exception>
    public RunSummary Get(string run)
    {
        if (Find(run) is { } found) return found;
        var nearest = List(RunFilter.All).Select(r => r.Name).FirstOrDefault(n => n.Contains(run, StringComparison.OrdinalIgnoreCase));
        throw new UserException($"there is no run named '{run}' in {Root}" + (nearest is null ? "" : $"; there is '{nearest}'"));
    }

    /// <summary>Runs side by side: their results, and the settings in which they differ.</summary>
    /// <exception cref="UserException">A run is not in the registry.</exception>
    public RunComparison Compare(IEnumerable<string> runs) => new([.. runs.Select(Get)]);

    List<RunSummary> Summaries(string where, params (string, object?)[] parameters)
    {
        var settings = Settings(where, parameters);
        return database.Query($"{SummaryColumns}\n{where}\norder by runs.created, runs.name", r => Summary(r, settings), parameters);
    }

    RunSummary Summary(SqliteDataReader row, Dictionary<string, SortedDictionary<string, string>> settings)
    {
        var record = JsonSerializer.Deserialize(row.GetString(0), RunJson.Default.RunManifest)!;
        var path = Path.Combine(Root, record.Name);
        // The registry remembers what was written; whether a process still stands behind it, only the folder's lock knows.
        var state = record.State == RunState.Running && !RunLock.IsHeld(path) ? RunState.Interrupted : record.State;
        return new RunSummary(record, state, path,
            settings.TryGetValue(record.Name, out var own) ? own : new SortedDictionary<string, string>(StringComparer.Ordinal),
            row.IsDBNull(1) ? 0 : row.GetInt32(1), Number(row, 2), Number(row, 3), Number(row, 4),
            row.IsDBNull(5) ? null : row.GetInt32(5), Number(row, 6), Number(row, 7) ?? 0);
    }

    Dictionary<string, SortedDictionary<string, string>> Settings(string where, (string, object?)[] parameters)
    {
        var rows = database.Query($"select run, path, value from settings where run in (select name from runs {where})",
            r => (Run: r.GetString(0), Path: r.GetString(1), Value: r.GetString(2)), parameters);
        return rows.GroupBy(row => row.Run).ToDictionary(run => run.Key, run => new SortedDictionary<string, string>(
            run.ToDictionary(row => row.Path, row => row.Value), StringComparer.Ordinal));
    }

    static (string Where, (string, object?)[] Parameters) Where(RunFilter filter)
    {
        var conditions = new List<string>();
        var parameters = new List<(string, object?)>();
        Equal("dataset", filter.Dataset);
        Equal("teacher", filter.Teacher);
        Equal("student", filter.Student);
        Equal("method", filter.Method);
        Equal("seed", filter.Seed);
        if (filter.Digest is { } digest) Add("substr(runs.recipe_digest, 1, length({0})) = {0}", digest.ToLowerInvariant());
        if (filter.NameContains is { } part) Add("instr(lower(runs.name), {0}) > 0", part.ToLowerInvariant());
        foreach (var (path, value) in filter.Settings)
        {
            Add("exists (select 1 from settings where settings.run = runs.name and settings.path = {0} and settings.value = ", path);
            parameters.Add(($"$p{parameters.Count}", RecipeSettings.Canonical(value)));
            conditions[^1] += parameters[^1].Item1 + ")";
        }
        return (conditions.Count == 0 ? "" : "where " + string.Join(" and ", conditions), [.. parameters]);

        void Equal(string column, object? value)
        {
            if (value is not null) Add($"runs.{column} = {{0}}", value);
        }

        void Add(string condition, object value)
        {
            parameters.Add(($"$p{parameters.Count}", value));
            conditions.Add(condition.Replace("{0}", parameters[^1].Item1));
        }
    }

    static double? Number(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetDouble(column);
}
