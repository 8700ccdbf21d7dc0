using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistillSharp.Experiments.Sweeps;

/// <summary>A run that a sweep asks for, as its record has it.</summary>
/// <param name="Name">The name it should have.</param>
/// <param name="Digest">The digest of its recipe, by which it is found whatever its name.</param>
/// <param name="Teacher">The teacher's network; null without one.</param>
/// <param name="Student">The student's network.</param>
/// <param name="Method">The method's label, and what is varied.</param>
/// <param name="Seed">The seed.</param>
public sealed record SweepRecordRun(string Name, string Digest, string? Teacher, string Student, string Method, long Seed);

/// <summary>A sweep as it was started, kept beside its runs' recipes and logs, to show what is to come with what is done.</summary>
/// <param name="Name">The name of the sweep's file, without its ending.</param>
/// <param name="Started">When it was started last (UTC).</param>
/// <param name="Runs">The runs it asks for, in its order.</param>
public sealed record SweepRecord(string Name, DateTimeOffset Started, IReadOnlyList<SweepRecordRun> Runs)
{
    const string Ending = ".sweep.json";

    /// <summary>The record of a sweep that is about to start.</summary>
    /// <param name="file">The sweep's file.</param>
    /// <param name="sweep">The sweep.</param>
    public static SweepRecord Of(string file, Sweep sweep) => new(Path.GetFileNameWithoutExtension(file), DateTimeOffset.UtcNow,
        [.. sweep.Runs.Select(run => new SweepRecordRun(
            run.Name, run.Digest, run.Recipe.Teacher?.Name, run.Recipe.Student.Network, run.Label, run.Recipe.Train.Seed))]);

    /// <summary>Keeps the record in a folder of runs, in place of an earlier one of the same name.</summary>
    /// <exception cref="UserException">The folder cannot be written.</exception>
    public void Save(string runsRoot)
    {
        var folder = Path.Combine(Path.GetFullPath(runsRoot), TrainingProcess.FolderName);
        FileTrouble.Told($"cannot create {folder}", () => Directory.CreateDirectory(folder));
        AtomicFile.Write(Path.Combine(folder, Name + Ending), JsonSerializer.SerializeToUtf8Bytes(this, SweepJson.Default.SweepRecord));
    }

    /// <summary>The records kept in a folder of runs, by name. What cannot be read is left out.</summary>
    public static IReadOnlyList<SweepRecord> In(string runsRoot)
    {
        var folder = Path.Combine(runsRoot, TrainingProcess.FolderName);
        try
        {
            return Directory.Exists(folder)
                ? [.. Directory.EnumerateFiles(folder, "*" + Ending).Order(StringComparer.Ordinal).Select(Read).OfType<SweepRecord>()] : [];
        }
        catch (Exception e) when (FileTrouble.Is(e)) { return []; }
    }

    static SweepRecord? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(
                File.ReadAllBytes(path), SweepJson.Default.SweepRecord) is { Name: not null, Runs: { } runs } record
                && runs.All(run => run is { Name: not null, Digest: not null, Student: not null, Method: not null }) ? record : null;
        }
        catch (Exception e) when (FileTrouble.Is(e) || e is JsonException) { return null; }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SweepRecord))]
[JsonSerializable(typeof(IReadOnlyList<SweepRecord>))]
sealed partial class SweepJson : JsonSerializerContext;
