using System.Text.Json.Serialization;
using DistillSharp.Experiments.Report;
using DistillSharp.Experiments.Sweeps;

namespace DistillSharp.Serve;

/// <summary>New epochs of a run.</summary>
sealed record GrownCurves(string Name, CurveData Curves);

/// <summary>New lines of a run's log.</summary>
sealed record GrownLog(string Name, string Text);

/// <summary>A run by its name.</summary>
sealed record RunNamed(string Name);

/// <summary>The rows that a stream tells of.</summary>
sealed record RowNews(bool All, IReadOnlyList<RunRow> Rows, IReadOnlyList<string> Removed, IReadOnlyList<string> Problems, string Root);

/// <summary>In what runs differ.</summary>
sealed record Differences(IReadOnlyList<SettingValues> Settings, bool SameMachine, bool SameVersions);

/// <summary>A setting's value in each run.</summary>
sealed record SettingValues(string Path, IReadOnlyList<string?> Values);

/// <summary>How far pictures are: <c>working</c>, <c>done</c>, <c>failed</c> or <c>stopped</c>.</summary>
sealed record PictureState(string Key, string State, string Message, long Done = 0, long Total = 0, double? SecondsLeft = null);

/// <summary>What the page is given at its start.</summary>
sealed record PageStart(string Version);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(Experiments.Runs.FiniteNumber)])]
[JsonSerializable(typeof(GrownCurves))]
[JsonSerializable(typeof(GrownLog))]
[JsonSerializable(typeof(RunNamed))]
[JsonSerializable(typeof(RowNews))]
[JsonSerializable(typeof(Differences))]
[JsonSerializable(typeof(PictureState))]
[JsonSerializable(typeof(PageStart))]
[JsonSerializable(typeof(RunData))]
[JsonSerializable(typeof(ReportData))]
[JsonSerializable(typeof(IReadOnlyList<SweepRecord>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
sealed partial class ServeJson : JsonSerializerContext;
