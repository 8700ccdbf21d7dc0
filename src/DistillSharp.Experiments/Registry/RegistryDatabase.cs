using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace DistillSharp.Experiments.Registry;

/// <summary>
/// The registry's SQLite file: its schema, its waiting for other processes, and its errors as sentences. Write-ahead
/// logging lets readers go on while one process writes; every write is one immediate transaction, so that writers queue at
/// its beginning and never fail in its middle.
/// </summary>
sealed class RegistryDatabase : IDisposable
{
    const int SchemaVersion = 1;

    // Longer than any queue of processes that write a row each.
    static readonly TimeSpan patience = TimeSpan.FromMinutes(2);

    const string Schema = """
        create table if not exists runs(
            name text primary key, state text not null, created text not null, finished text, dataset text not null,
            teacher text, student text not null, method text not null, policy text, seed integer not null,
            epochs integer not null, batch integer, precision text, parameters integer, train_images integer,
            recipe_digest text not null, record text not null) strict, without rowid;
        create table if not exists metrics(
            run text not null references runs(name) on delete cascade, epoch integer not null, step integer not null,
            acc1 real, acc5 real, loss real, lr real, images_per_second real, seconds real, terms text not null,
            primary key(run, epoch)) strict, without rowid;
        create table if not exists settings(
            run text not null references runs(name) on delete cascade, path text not null, value text not null,
            primary key(run, path)) strict, without rowid;
        create index if not exists settings_by_value on settings(path, value);
        create index if not exists runs_by_digest on runs(recipe_digest);
        """;

    readonly SqliteConnection connection;
    readonly Lock gate = new();

    /// <summary>Opens the file, creating it where it is missing; its tables are filled within the transaction that creates them.</summary>
    /// <exception cref="UserException">The file is no registry, is damaged or cannot be opened.</exception>
    public RegistryDatabase(string path, Action<RegistryDatabase>? fill = null)
    {
        FilePath = path;
        connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path, Mode = SqliteOpenMode.ReadWriteCreate, Pooling = false, DefaultTimeout = (int)patience.TotalSeconds,
        }.ToString());
        try
        {
            Guard(() =>
            {
                connection.Open();
                Execute($"pragma busy_timeout = {(int)patience.TotalMilliseconds}; pragma foreign_keys = on; pragma synchronous = normal;");
                if (Query("pragma journal_mode", row => row.GetString(0)) is not ["wal"]) Execute("pragma journal_mode = wal");
            });
            if (Version() == SchemaVersion) return;
            Write(() =>
            {
                var version = Version();
                if (version == SchemaVersion) return;
                if (version != 0)
                    throw new UnusableRegistryException($"{path} was made by another version of DistillSharp (format {version}, this one "
                        + $"reads {SchemaVersion}); 'distill runs rebuild' recreates it from the run folders", null);
                Execute(Schema);
                fill?.Invoke(this);
                Execute($"pragma user_version = {SchemaVersion}");
            });
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public string FilePath { get; }

    /// <summary>Runs several writes as one: all of them or none. Nothing else of this process comes between.</summary>
    public void Write(Action writes)
    {
        lock (gate)
            Guard(() =>
            {
                using var transaction = connection.BeginTransaction(deferred: false);
                writes();
                transaction.Commit();
            });
    }

    public int Execute(string sql, params (string Name, object? Value)[] parameters)
    {
        lock (gate)
        {
            using var command = Command(sql, parameters);
            return command.ExecuteNonQuery();
        }
    }

    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> row, params (string Name, object? Value)[] parameters)
    {
        var rows = new List<T>();
        lock (gate)
            Guard(() =>
            {
                rows.Clear();
                using var command = Command(sql, parameters);
                using var reader = command.ExecuteReader();
                while (reader.Read()) rows.Add(row(reader));
            });
        return rows;
    }

    public void Dispose()
    {
        lock (gate) connection.Dispose();
    }

    /// <summary>Moves a file that is damaged beyond use out of the way, with its logs.</summary>
    public static void SetAside(string path)
    {
        foreach (var end in (string[])["", "-wal", "-shm"])
            if (File.Exists(path + end)) File.Move(path + end, path + ".damaged" + end, overwrite: true);
    }

    SqliteCommand Command(string sql, (string Name, object? Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value is null or double.NaN ? DBNull.Value : value);
        return command;
    }

    long Version() => Query("pragma user_version", row => row.GetInt64(0))[0];

    // Changing to write-ahead logging is the one step that SQLite does not wait for by itself.
    void Guard(Action action)
    {
        for (var start = Environment.TickCount64; ;)
        {
            try
            {
                action();
                return;
            }
            catch (SqliteException e) when (
                e.SqliteErrorCode is Busy or Locked && Environment.TickCount64 - start < patience.TotalMilliseconds)
            {
                Thread.Sleep(Random.Shared.Next(5, 50));
            }
            catch (SqliteException e) { throw Trouble(e); }
            catch (JsonException e)
            {
                throw new UnusableRegistryException(
                    $"{FilePath} holds a record that cannot be read; 'distill runs rebuild' recreates it from the run folders", e);
            }
        }
    }

    const int Busy = 5, Locked = 6;

    UserException Trouble(SqliteException e) => e.SqliteErrorCode switch
    {
        11 or 26 => new UnusableRegistryException(
            $"{FilePath} is damaged or no registry of runs; 'distill runs rebuild' recreates it from the run folders", e),
        Busy or Locked => new UserException($"{FilePath} was locked by another process for {patience.TotalMinutes} minutes", e),
        8 => new UserException($"{FilePath} is read-only", e),
        13 => new UserException($"cannot write {FilePath}: the disk is full", e),
        14 => new UserException($"cannot open {FilePath}: check that its folder exists and may be written", e),
        _ => new UserException($"{FilePath}: {e.Message}", e),
    };
}

/// <summary>The registry's file is damaged or of another version; rebuilding it helps.</summary>
sealed class UnusableRegistryException(string message, Exception? inner) : UserException(message, inner);
